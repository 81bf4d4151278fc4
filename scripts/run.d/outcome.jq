# Who serves, read off the counters of all processes (shadowbook top --json). Roles: shadowbook/counters.h.
def alive($name): [.processes[]? | select(.name == $name and .alive)] | first;
def role($name): alive($name).counters.role // 0; # 0: gone
def owns: . == 4 or . == 5 or . == 6;

def outcome:
    role("A") as $a | role("B") as $b |
    if $a == 4 and $b == 3 then "dual"
    elif $a == 3 and $b == 4 then "swapped"
    elif $a == 6 and $b <= 2 then "A"
    elif $b == 6 and $a <= 2 then "B"
    elif ($a | owns | not) and ($b | owns | not) then "blocked"
    else "unsettled" end;
