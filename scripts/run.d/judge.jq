# One report out of a run's evidence, with the reasons for which it is not good.
include "outcome";

def node($k; $n): [$k.processes[]? | select(.name == $n) | .counters] | first // {};
def span($from; $to): if $from > 0 and $to >= $from then $to - $from else null end;
def ms: . / 1000000 | round;

# What a node that owns nothing must not go on doing.
def voice($k; $n): node($k; $n) | [.released_frames, .stream_tx, .ack_tx, .heartbeats, .rerequests];

# Longest time for which the machine did not let an engine run, the fault's own stop taken off.
def pause($k; $lasted; $victim):
    [("A", "B") as $n | (node($k; $n).poll_gap_max_ns // 0) - (if $n == $victim then $lasted else 0 end)] | max;

($facts[0]) as $f | ($client[0]) as $c | ($counters[0]) as $k | ($log[0]) as $l | ($log_other[0]) as $lo |
($f.times[0] // 0) as $at |
(if ($f.times | length) > 1 then $f.times[1] - $at else null end) as $lasted |
(if $f.struck_ns != null then $f.struck_ns - $at else null end) as $hold |
($k | outcome) as $outcome |
(if $outcome == "A" or $outcome == "dual" then "A" else "B" end) as $survivor |
(if $survivor == "A" then "B" else "A" end) as $other |
(["dual", "swapped"] | index($outcome) != null) as $paired |
node($k; $survivor) as $s |
([node($k; "A"), node($k; "B")] | map((.went_live // 0) + (.went_solo // 0)) | add) as $changes |
(pause($k; $lasted // 0; $f.fault.victim) | ms) as $pause_ms |
($f.fault.right == ["blocked"]) as $blocked |
($f.fault.kind == "signal" and $f.signal == "STOP" or $f.fault.kind == "cut") as $heals |

($c + {
    flow: $f.flow, port: $f.port, load: $f.load, kill: $f.kill, signal: $f.signal,
    fault: (($c.fault // {}) + {name: $f.fault.name, words: $f.fault.words}),
    lost: ([$l.lost, $lo.lost // 0] | if min < 0 then min else max end), digest_equal: ($l.digest_equal == true and ($lo == null or $lo.digest_equal == true)), state_digest: $l.state_digest, log: $l,
    floor_ns: ($floor[0] // null),
    outcome: $outcome, roles: {A: ($k | role("A")), B: ($k | role("B")), W: ($k | role("W"))},
    takeover: {
        fault_to_suspect_ns: (if $survivor == "B" then span($at; $s.suspect_at_ns // 0) else null end),
        suspect_to_decide_ns: (if $survivor == "B" then span($s.suspect_at_ns // 0; $s.decide_at_ns // 0) else null end),
        decide_to_first_frame_ns: (if ($s.went_live // 0) > 0 then $s.decide_to_first_ns else null end),
        first_tx_call_ns: (if ($s.went_live // 0) > 0 then $s.first_tx_call_ns else null end),
        frames_held: ($s.takeover_frames // 0), unverified: ($s.unverified // 0),
        client_gap_ns: ($c.fault.gap_ns // $c.client_gap_ns)
    },
    needless_takeovers: ([$changes - $f.fault.takes, 0] | max),
    woken_primary_role: (if $heals and ($outcome == "A" or $outcome == "B") then $k | role($other) | tostring else "" end),
    fault_held_after_ns: $hold, fault_lasted_ns: $lasted, machine_pause_ms: $pause_ms,
    frames_dropped: $f.dropped,
    frames_duplicated: ($forward[0].duplicated // null), frames_reordered: ($forward[0].reordered // null)
}) as $r |

# What must hold whatever struck.
([if $r.lost != 0 then "\($r.lost) acknowledged orders are not in the log" else empty end,
  if $r.digest_equal != true then "the survivor differs from a replay of its log" else empty end,
  if $f.fault.kind == "rejoin" and ($l.closed != true or $lo.closed != true or $l.state_digest != $lo.state_digest) then
      "both nodes did not end in the same state" else empty end,
  if ($r.conflicting // 1) != 0 then "\($r.conflicting) conflicting" else empty end,
  if $f.unblocked != "" then $f.unblocked else empty end,
  # The day is whole, unless nobody may serve.
  if $blocked then empty else
     (if $c.result != "ok" then "client: \($c.result)" else empty end,
      if ($r.feed_gaps // 1) != 0 then "\($r.feed_gaps) gaps in the feed" else empty end,
      if ($r.books_equal // false) != true then "books differ" else empty end,
      if ($r.trades_equal // false) != true then "trades differ" else empty end)
  end,
  if $f.unmet != "" and $pause_ms < $f.suspect_ms then $f.unmet else empty end,
  # Who serves. The machine's own pauses are faults too; what they lead to is stated, not judged.
  if $outcome == "unsettled" then "the engines did not agree on who serves (roles A \($r.roles.A), B \($r.roles.B))"
  elif $f.fault.right | index($outcome) then empty
  elif $outcome != "blocked" and ($blocked | not) and $pause_ms >= $f.suspect_ms then empty
  else "outcome \($outcome), not \($f.fault.right | join(" or ")) (roles A \($r.roles.A), B \($r.roles.B))" end,
  (("A", "B", "W") as $n | if $n != $f.fault.dies and ($k | role($n)) == 0 then "\($n) is gone" else empty end),
  if ($paired | not) and $outcome != "unsettled" and voice($k; $other) != voice($later[0]; $other)
      then "\($other) owns nothing and still speaks" else empty end,
  if $f.fault.kind == "restart" and $f.fault.host == "shadow" and
      (node($k; "B") | .released_frames + .stream_tx + .went_live) != 0 then "the restarted node released or streamed" else empty end,
  # Did the fault strike at all?
  if $at == 0 and $f.fault.kind != "-" and $f.fault.kind != "forward" then "the fault never struck" else empty end,
  if $hold != null and ($blocked | not) and $at + $hold > $c.start_ns + $c.wall_ns then
      "the fault struck when the day was over" else empty end,
  if $f.uncross_ns != null and $at > 0 and ($at + ($hold // 0)) % 86400000000000 > $f.uncross_ns then
      "the fault struck after the uncross" else empty end,
  if $f.fault.kind == "cut" and ($f.dropped // 0) == 0 then "no frame was dropped: the cut did not hold" else empty end,
  if $f.fault.name == "duplicate" and ($r.frames_duplicated // 0) == 0 then "no frame was duplicated" else empty end,
  if $f.fault.name == "reorder" and ($r.frames_reordered // 0) == 0 then "no frame was reordered" else empty end
 ]) as $faults |
$r + {result: (if $faults == [] then "ok" else $faults | join("; ") end)}
