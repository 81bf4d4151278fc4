# The report of scripts/run --rounds out of its evidence.
include "outcome";

def distribution: sort | length as $n |
    def at($share): .[([($share * $n | ceil), 1] | max) - 1];
    if $n == 0 then {count: 0} else {count: $n, p50: at(0.5), p99: at(0.99), "p99.9": at(0.999), max: at(1)} end;

# A round's times: what the script did, and when a sample first showed what followed.
def times($samples): . as $r |
    [$samples[] | select(.round == $r.round and .at >= $r.struck)] as $all |
    def owner: .[$r.owner];
    def other: .[$r.other];
    # Samples before that, after a hand-over, still show the pair as it was.
    ([$all[] | select(other.role | owns) | .at] | first) as $owns |
    [$all[] | select($owns != null and .at >= $owns and .at >= $r.restarted)] as $s |
    def first_at(c): [$s[] | select(c) | .at] | first;
    $r + {
        owns: $owns,
        catch: first_at(owner.role == 2), following: first_at(owner.copy_state == 3), pairing: first_at(other.role == 5),
        shadow: first_at(owner.role == 3), whole: first_at(owner.role == 3 and other.role == 4 or owner.role == 4 and other.role == 3),
        inputs: ([$s[] | select(owner.role == 3) | owner.log_len] | first),
        disk_lag_ns: ([$all[] | .A, .B | .journal_lag_max_ns // 0] | max),
        copied_bytes: ([$s[] | owner.copy_bytes // 0] | max),
        decide_to_first_frame_ns: ([$all[] | select((other.went_live // 0) > 0) | other.decide_to_first_ns] | first)
    };

def since($from): if . == null or $from == null then null else . - $from end;

def lines($samples; $gaps): .[] | times($samples) | . as $t | ($gaps[] | select(.round == $t.round)) as $g |
    (if .restarted > 0 then .restarted else .struck end) as $from | {
        round, struck: .owner, decide_to_first_frame_ns, client_gap_ns: $g.switch_gap_ns, join_gap_ns: $g.join_gap_ns, answered: $g.answered,
        restart_after_ns: (if .restarted > 0 then .restarted - .struck else null end),
        catch_ns: (.catch | since($from)), following_ns: (.following | since($from)), pairing_ns: (.pairing | since($from)),
        shadow_ns: (.shadow | since($from)), whole_ns: (.whole | since($from)), whole_since_strike_ns: (.struck as $struck | .whole | since($struck)),
        copied_bytes, inputs, disk_lag_ns
    };

def report: ($client[0]) as $c | ($counters[0]) as $k | ($a[0]) as $a | ($b[0]) as $b |
    [$rounds | lines($samples; $gaps)] as $lines |
    ([$lines[] | select(.whole_ns != null)] | length) as $whole |
    ([$lines[].client_gap_ns] | distribution) as $gap |
    ($k | alive("A").counters // alive("B").counters // {}) as $any |
    ($c + {
        flow: $flow, port: $port, kind: (if $hand_over then "hand over" else "kill -9" end), asked: $asked, whole: $whole, rounds: $lines,
        hold: (["two-memories", "memory-and-disk", "two-disks"][$any.hold // 9] // "?"),
        solo_policy: ([null, "witness", "disk", "memory", "halt"][$any.solo_policy // 9] // "?"),
        outcome: ($k | outcome), roles: {A: ($k | role("A")), B: ($k | role("B")), W: ($k | role("W"))},
        lost: {A: $a.lost, B: $b.lost}, logs: {A: $a, B: $b}, floor_ns: ($floor[0] // null),
        needless_takeovers: ([$samples[] | .A, .B | .epoch // 0 | . / 4 | floor | select(. > 0)] | if . == [] then 0 else max - min - $whole end),
        whole_after_strike_ns: ([$lines[].whole_since_strike_ns | numbers] | distribution),
        order_latency_ns: $normal[0], switch_gap_ns: $gap,
        gap_p99_over_order_p99: (if ($normal[0].p99 // 0) > 0 and $gap.p99 != null then $gap.p99 / $normal[0].p99 else null end)
    }) as $r |
    ([if $broken != "" then $broken else empty end,
      if $whole != $asked then "whole after \($whole) of \($asked) rounds" else empty end,
      if [$r.outcome] | inside(["dual", "swapped"]) | not then "the pair is not whole at the end (roles A \($r.roles.A), B \($r.roles.B))" else empty end,
      ($lines[] | select(.answered == 0) | "no order was answered in round \(.round)"),
      if $c.result != "ok" then "client: \($c.result)" else empty end,
      if ($c.conflicting // 1) != 0 then "\($c.conflicting) conflicting" else empty end,
      if ($c.feed_gaps // 1) != 0 then "\($c.feed_gaps) gaps in the feed" else empty end,
      if ($c.books_equal // false) != true then "books differ" else empty end,
      if ($c.trades_equal // false) != true then "trades differ" else empty end,
      ({A: $a, B: $b} | to_entries[] |
          if .value.lost != 0 then "\(.value.lost) acknowledged orders are not in \(.key)\u0027s journal" else empty end,
          if .value.digest_equal != true then "\(.key) differs from a replay of its journal" else empty end,
          if .value.closed != true then "\(.key)\u0027s journal was not closed" else empty end),
      if $a.inputs != $b.inputs or $a.state_digest != $b.state_digest then "A and B did not end in the same state" else empty end,
      if $hand_over and ([$lines[].restart_after_ns // empty] | length) != 0 then "a process was started again" else empty end
     ]) as $faults |
    $r + {result: (if $faults == [] then "ok" else $faults | join("; ") end)};
