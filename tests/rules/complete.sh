#!/bin/bash
# Every rule of engine/RULES.md (x.y, and x where a section has no numbers in it) has a case and an example; every case says whose it
# is, in its name and in its first line; what the examples name is there.
set -u -o pipefail
cd "${1:?usage: $0 ROOT}" || exit 1
rules=engine/RULES.md

failures=0
fail() {
    echo "$*"
    failures=$((failures + 1))
}

# Rules: the numbers that lines begin with, before the examples.
mapfile -t numbers < <(awk '
    /^# Examples/ { exit }
    /^## [0-9]+\./ { if (section != "" && !parts) print section; section = $2 + 0; parts = 0 }
    /^[0-9]+\.[0-9]+ / { print $1; parts = 1 }
    END { if (section != "" && !parts) print section }' $rules)
((${#numbers[@]} > 60)) || fail "$rules: only ${#numbers[@]} rules are seen"

# 6.3 -> 06-3, 9 -> 09
prefix_of() {
    local section=${1%%.*} rest=${1#*.}
    if [[ $1 == *.* ]]; then printf '%02d-%d' "$section" "$rest"; else printf '%02d' "$section"; fi
}

declare -A known
for number in "${numbers[@]}"; do
    prefix=$(prefix_of "$number")
    known[$prefix]=$number
    compgen -G "tests/rules/$prefix-[a-z0-9]*.case" >/dev/null || fail "$rules: $number has no case"
done

cases=0
for file in tests/rules/*.case; do
    cases=$((cases + 1))
    name=$(basename "$file")
    [[ $name =~ ^([0-9]{2}(-[0-9]{1,2})?)-[a-z0-9][a-z0-9-]*\.case$ ]] || { fail "$file: no name for a case"; continue; }
    prefix=${BASH_REMATCH[1]}
    number=${known[$prefix]:-}
    [[ -n $number ]] || { fail "$file: no such rule"; continue; }
    [[ $(head -n 1 "$file") == "# $number "* ]] || fail "$file: the first line does not say $number and what it shows"
done

# Examples: "- **6.3** words `06-3-name`".
examples=$(sed -n '/^# Examples/,$p' $rules)
for number in "${numbers[@]}"; do
    grep -q "^- \*\*${number//./\\.}\*\* " <<<"$examples" || fail "$rules: $number has no example"
done
while read -r number case; do
    [[ -e tests/rules/$case.case ]] || fail "$rules: the example of $number names $case, which is not there"
    [[ $case == "$(prefix_of "$number")"-* ]] || fail "$rules: the example of $number names $case"
done < <(awk '/^- \*\*/ { n = $2; gsub(/\*/, "", n); while (match($0, /`[0-9][0-9]-[^`]+`/)) {
    print n, substr($0, RSTART + 1, RLENGTH - 2); $0 = substr($0, RSTART + RLENGTH) } }' <<<"$examples")

((failures == 0)) || exit 1
echo "${#numbers[@]} rules, $cases cases"
