#!/usr/bin/env bash
# failover over a script that only pretends to run: bad trials are noticed, named and kept, hanging ones end, an
# interruption still shows what was done. Each pretended trial does what its number's entry in $plan says.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
command -v jq >/dev/null || { echo "SKIP: jq is missing"; exit 77; }
bin=$SHADOWBOOK_BIN
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export dir
mkdir "$dir/tmp"
export TMPDIR=$dir/tmp
bad=0

cat >"$dir/run" <<'END'
#!/usr/bin/env bash
[[ $SHADOWBOOK_BIN == /* && -x $SHADOWBOOK_BIN ]] || exit 3
echo "$*" >>"$dir/calls"
read -r -a what <<<"$plan"
do=${what[$(wc -l <"$dir/calls") - 1]:-ok}
while (($#)); do [[ $1 != --report ]] || report=$2; shift; done
lost=0 result=ok
case $do in
lost) lost=1 ;;
differ) result='trades differ' ;;
absent) echo "run: the engines did not pair" >&2; exit 1 ;;
hang) echo $$ >>"$dir/hung"; sleep 1000 & wait ;;
deaf) trap '' TERM; echo $$ >>"$dir/hung"; sleep 1000; sleep 1000 ;;
tell) trap 'touch "$dir/cleaned"; exit 130' TERM; kill -INT "$PPID"; sleep 1000 & wait ;;
esac
cat >"$report" <<JSON
{"result": "$result", "lost": $lost, "conflicting": 0, "digest_equal": true, "needless_takeovers": 0,
 "takeover": {"fault_to_suspect_ns": 25000000, "suspect_to_decide_ns": 55000000,
 "decide_to_first_frame_ns": 971, "client_gap_ns": 81000000}}
JSON
[[ $do != cut ]] || truncate -s 60 "$report"
[[ $do != angry ]] || exit 4
END
chmod +x "$dir/run"

# expect LABEL CODE PLAN TRIALS ARGUMENTS...
expect() {
    local label=$1 code=$2 got
    export plan=$3
    local trials=$4
    shift 4
    : >"$dir/calls"
    "$bin" failover --run "$dir/run" --trials "$trials" --report "$dir/r.json" "$@" >"$dir/out" 2>"$dir/err" </dev/null
    got=$?
    ((got == code)) || { echo "$label: exit code $got, expected $code"; cat "$dir/out" "$dir/err"; bad=1; }
}
says() { # LABEL FILE PATTERN
    grep -qE -e "$3" "$dir/$2" || { echo "$1: no /$3/ in $2:"; cat "$dir/$2"; bad=1; }
}
is() { # LABEL JQ: of the report
    jq -e "$2" "$dir/r.json" >/dev/null || { echo "$1: not $2 in:"; jq -c . "$dir/r.json"; bad=1; }
}

expect good 0 'ok ok ok ok' 4 --fault primary-kill,primary-stop
is good '.passed == 4 and ([.faults[].each[]] | length) == 4 and .faults[1].switch_ns.p50 == 971'
is good '.floor_ns == null and .thresholds_ns.takeover_after == 0'
[[ $(grep -c -- '--fault primary-stop' "$dir/calls") == 2 ]] || { echo "faults do not take turns"; bad=1; }
[[ $(grep -c -- --no-floor "$dir/calls") == 3 ]] || { echo "the floor is not measured just once"; bad=1; }
compgen -G "$TMPDIR/*" >/dev/null && { echo "good trials left something"; bad=1; }

expect 'bad trials' 1 'ok lost ok differ ok cut ok angry' 8 --keep "$dir/kept" --events 77 --fault primary-kill
is 'bad trials' '.passed == 4 and .lost == 1 and .judged == 7'
is 'bad trials' '[.faults[0].each[] | select(.result != "ok") | .trial] == [2, 4, 6, 8]'
says 'bad trials' out 'trial 2, primary-kill at [0-9]+ %, failed: called ok, but lost 1'
says 'bad trials' out 'trial 4, .*failed: trades differ'
says 'bad trials' out 'trial 6, .*no report'
says 'bad trials' out 'trial 8, .*a good report, but exit code 4'
says 'bad trials' out "repeat +SHADOWBOOK_BIN=$(readlink -f "$bin") $dir/run --fault primary-kill --at [0-9]+ --seed [0-9]+ --events 77 --no-floor\$"
says 'bad trials' out '^4 of 8 passed; lost 1'
says 'bad trials' err 'trial 6, .*failed'
[[ $(cd "$dir/kept" && echo ./*) == './trial-2 ./trial-4 ./trial-6 ./trial-8' ]] || { echo "kept: $(ls "$dir/kept")"; bad=1; }
[[ -s $dir/kept/trial-2/report.json ]] || { echo "the bad report was not kept"; bad=1; }

# The printed command gives the same trial again.
command=$(sed -n '/^trial 2,/,/repeat/s/^ *repeat *//p' "$dir/out")
planned=$(sed -n 2p "$dir/calls")
bash -c "${command/$dir\/run/echo} " >"$dir/again"
[[ $planned == "$(cat "$dir/again") --report "* ]] || { echo "repeat: '$(cat "$dir/again")' is not '$planned'"; bad=1; }

expect 'no first report' 2 'absent' 5
says 'no first report' err 'exit code 1, no report: .*it said: run: the engines did not pair'
says 'no first report' err 'given up'
[[ $(wc -l <"$dir/calls") == 1 ]] || { echo "went on without a first report"; bad=1; }

expect 'later no report' 1 'ok ok ok absent ok ok' 6
says 'later no report' out 'trial 4, .*the engines did not pair'
[[ $(wc -l <"$dir/calls") == 6 ]] || { echo "did not go on after a lost report"; bad=1; }

: >"$dir/hung"
expect hanging 1 'ok ok ok hang ok' 5 --limit-s 4
says hanging out 'trial 4, .*failed: no end within 4 s$'
is hanging '.passed == 4 and .judged == 4'
expect deaf 1 'ok ok ok deaf' 4 --limit-s 4
says deaf out 'trial 4, .*failed: no end within 4 s; killed'
while read -r group; do
    for ((i = 0; i < 50; i++)); do # the dead may wait for their last parent
        left=$(ps -eo pgid=,stat=,args= | awk -v g="$group" '$1 == g && $2 !~ /^Z/')
        [[ $left ]] || break
        sleep 0.1
    done
    [[ -z $left ]] || { echo "a hanging trial is still there: $left"; bad=1; }
done <"$dir/hung"
[[ $(wc -l <"$dir/hung") == 2 ]] || { echo "nothing hung"; bad=1; }

expect interrupted 1 'ok ok tell ok' 4
says interrupted out '^stopped after 2 of 4 trials: 2 of 2 passed'
is interrupted '.interrupted == true and .trials == 2 and .trials_asked == 4'
[[ -e $dir/cleaned ]] || { echo "the interrupted trial could not clean up"; bad=1; }

expect 'program of the plot' 0 'ok' 3 --plot "$dir/p.gp"
says 'program of the plot' p.gp '^plot NaN'

# Without gnuplot nothing is run for a picture.
mkdir "$dir/bin"
: >"$dir/calls"
PATH=$dir/bin "$bin" failover --run "$dir/run" --trials 1 --plot "$dir/p.png" >"$dir/out" 2>"$dir/err"
[[ $? == 2 ]] || { echo "no gnuplot: not refused"; bad=1; }
says 'no gnuplot' err 'gnuplot-nox'
[[ ! -s $dir/calls ]] || { echo "no gnuplot: a trial was run"; bad=1; }

expect 'no script' 2 '' 1 --run "$dir/none"
says 'no script' err 'none cannot be run'
expect 'bad file' 2 '' 1 --plot "$dir/none/p.gp"
says 'bad file' err 'none/p.gp cannot be written'
expect 'bad folder' 2 '' 1 --keep "$dir/none/kept"
says 'bad folder' err 'none/kept'
exit "$bad"
