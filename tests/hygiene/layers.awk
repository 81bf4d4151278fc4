# Who may use whom, by the #include lines and by names that give away a clock, an allocation, a socket or DPDK.
# Reads C files named by their paths from the root; prints a line for each violation; exits 1 if there is one.
#
#     include <- engine, nic/wire <- replica <- mains and tools        include <- nic/dpdk
# Tools may also ask the reference matcher (tests/reference): they judge runs by it.
#
# Does not see: what a macro or a function pointer hides, and what a library does by itself.

function room_of(path) {
    if (path ~ /^include\//) return "include"
    if (path ~ /^engine\//) return "engine"
    if (path ~ /^nic\/(wire|dpdk|gateway)\//) { sub(/^nic\//, "", path); sub(/\/.*/, "", path); return "nic/" path }
    # A main, and what only mains are made of: nothing of the protocol may use it.
    if (path ~ /^replica\/(main_[a-z]+|host|clock|thread|storage|journal_writer|journal_disk|transfer[a-z_]*)\.[ch]$/) return "main"
    if (path ~ /^replica\//) return "replica"
    if (path ~ /^perf\//) return "perf"
    if (path ~ /^tests\//) return "tests"
    return "elsewhere"
}

function bad(what) {
    printf "%s:%d: %s\n", FILENAME, FNR, what
    failures++
}

BEGIN {
    # room: rooms whose headers it may include
    uses["include"] = " include "
    uses["engine"] = " include engine "
    uses["nic/wire"] = " include nic/wire "
    uses["nic/dpdk"] = " include nic/dpdk "
    uses["nic/gateway"] = " include nic/wire nic/gateway "
    uses["replica"] = " include nic/wire replica "
    uses["main"] = " include nic/wire nic/dpdk nic/gateway replica main perf "
    uses["perf"] = " include nic/wire nic/dpdk nic/gateway replica main perf "
    uses["tests"] = " include engine nic/wire nic/dpdk nic/gateway replica main perf tests "

    clock = "time\\.h|sys/time\\.h|sys/timex\\.h|x86intrin\\.h"
    threads = "pthread\\.h|threads\\.h|sched\\.h|signal\\.h|sys/wait\\.h"
    net = "sys/socket\\.h|netinet/.*|arpa/inet\\.h|net/.*|linux/if.*|sys/un\\.h|netdb\\.h|poll\\.h|sys/epoll\\.h"
    io = "stdio\\.h|unistd\\.h|fcntl\\.h|sys/mman\\.h|sys/stat\\.h"
    libraries = "rte_.*|ini\\.h|lzma\\.h|pcap.*|liburing.*|check\\.h"
    headers["include"] = "^(" clock "|" threads "|" net "|" libraries "|xxhash\\.h|unistd\\.h)$"
    headers["engine"] = "^(" clock "|" threads "|" net "|" io "|" libraries "|stdlib\\.h|math\\.h|stdatomic\\.h|locale\\.h)$"
    headers["nic/wire"] = "^(" clock "|" threads "|" net "|" libraries "|unistd\\.h|fcntl\\.h|stdlib\\.h|math\\.h)$"
    headers["replica"] = "^(" clock "|" threads "|" net "|rte_.*|liburing.*|math\\.h)$"

    alloc = "malloc|calloc|realloc|free|aligned_alloc|posix_memalign|mmap|alloca"
    clocks = "clock_gettime|gettimeofday|time|clock|nanosleep|usleep|sleep|__rdtsc|__builtin_ia32_rdtsc"
    print_ = "f?printf|v?s?n?printf|puts|fputs|perror|fopen|open|read|write|getenv"
    sockets = "socket|sendto|sendmsg|recvfrom|recvmsg|bind|connect|ioctl"
    other = "pthread_[a-z_]+|rand|random|qsort"
    calls["engine"] = "(" alloc "|" clocks "|" print_ "|" sockets "|" other ")"
    calls["nic/wire"] = "(" alloc "|" clocks "|" sockets "|" other ")"
    calls["replica"] = "(" clocks "|" sockets "|pthread_[a-z_]+|rand|random)"
}

FNR == 1 {
    room = room_of(FILENAME)
    comment = 0
    # Rooms in replica that talk to the operating system by their duty.
    rules = room
    if (room == "replica" && FILENAME ~ /^replica\/(counters|config)[a-z_]*\.[ch]$/) rules = "system"
    if (room == "elsewhere") bad("a C file outside the known folders")
}

{
    line = $0
    # Leave out comments, then strings and characters.
    text = ""
    while (length(line)) {
        if (comment) {
            end = index(line, "*/")
            if (!end) { line = ""; break }
            line = substr(line, end + 2)
            comment = 0
            continue
        }
        start = index(line, "/*")
        slashes = index(line, "//")
        if (slashes && (!start || slashes < start) && substr(line, 1, slashes) !~ /"[^"]*$/) {
            text = text substr(line, 1, slashes - 1); line = ""; break
        }
        if (!start) { text = text line; break }
        text = text substr(line, 1, start - 1)
        line = substr(line, start + 2)
        comment = 1
    }
}

text ~ /^[ \t]*#[ \t]*include/ {
    header = text
    sub(/^[ \t]*#[ \t]*include[ \t]*/, "", header)
    angle = header ~ /^</
    header = substr(header, 2)
    sub(/[>"].*$/, "", header)
    if (header ~ /^rte_/ && room != "nic/dpdk") bad("rte_* outside nic/dpdk: " header)
    else if (header ~ /^liburing/ && FILENAME !~ /^(replica\/journal_disk|replica\/transfer_[a-z]+|nic\/gateway\/[a-z_]+)\.[ch]$/)
        bad("liburing outside replica/journal_disk and replica/transfer: " header)
    else if (angle && (rules in headers) && header ~ headers[rules]) bad(room " includes <" header ">")
    if (!angle) {
        folder = FILENAME
        sub(/[^\/]*$/, "", folder)
        if (header ~ /^shadowbook\//) target = "include"
        else if (header !~ /\//) target = room_of(folder header)
        else target = room_of(header)
        if (target == "elsewhere") bad("where is \"" header "\"? give its path from the root")
        else if (room == "perf" && header ~ /^tests\/reference\//) next # the tools judge by it
        else if (room != "elsewhere" && index(uses[room], " " target " ") == 0)
            bad(room " includes " target ": \"" header "\"")
        if (room == "main" && target == "perf" && header != "perf/verbs.h")
            bad("a main may include only perf/verbs.h of perf: \"" header "\"")
    }
    next
}

{
    gsub(/"([^"\\]|\\.)*"/, "\"\"", text)
    gsub(/'([^'\\]|\\.)*'/, "' '", text)
    if (room != "nic/dpdk" && text ~ /(^|[^A-Za-z0-9_])rte_[a-z]/) bad("rte_* outside nic/dpdk")
    if ((rules in calls) && match(text, "(^|[^A-Za-z0-9_.>])" calls[rules] "[ \t]*\\("))
        bad(room " calls " substr(text, RSTART, RLENGTH))
    if ((room == "engine" || room == "include" || room == "replica") &&
        text ~ /(^|[^A-Za-z0-9_])(float|double|_Thread_local|__thread)([^A-Za-z0-9_]|$)/)
        bad(room " uses float, double or thread-local state")
}

END { exit failures ? 1 : 0 }
