"""Lines that show trouble of machines and networks: a runner, memory, a disk, a registry, a connection. Data only.

An outage is a machine or a service that broke or refused more work; a network is a connection that did not come about.
"""

from __future__ import annotations

from workers.diagnosis.lines import ANYBODY, Voice, table

_PROGRAM = Voice(r"(?:[\w./()@\[\]-]{1,80}: ){0,4}")
"""Names of programs and severities before a reason, as system tools print them: `tar: data/x: `."""
_ACTION = Voice("(?:Error: )?")
_PIP = Voice(r" {0,2}(?:ERROR|WARNING): |pip\._vendor\.|requests\.exceptions\.|urllib3\.exceptions\.")
_UV = Voice(r"error: |  Caused by: |  \W{1,3} ")
_NPM = Voice("npm (?:ERR!|error) ")
_PNPM = Voice(" ?(?:ERR_PNPM_|WARN )")
_YARN = Voice(r"error |\S{0,3} ?YN\d{4}: ")
_CARGO = Voice("error: |warning: |  ")
_GO = Voice(r"go: |\S{1,200}\.go:\d{1,7}:\d{1,7}: ")
_MAVEN = Voice(r"\[(?:ERROR|FATAL)\] ")
_GRADLE = Voice(" {0,20}> ")
_CURL = Voice(r"(?:#\d{1,4} \d{1,6}\.\d{1,3} )?(?:curl: |wget: )")
_GIT = Voice("fatal: |error: |remote: ")
_APT = Voice("E: ")
_DOCKER = Voice(
    r"Error response from daemon: |ERROR: failed to solve: |docker: |#\d{1,4} (?:\d{1,6}\.\d{1,3} )?ERROR: "
)

_BUSY = r"(?:429|5\d\d)\b"
_RESET = (
    "Connection (?:reset|timed out|refused|closed|aborted)",
    "(?:Read|Connect|Operation) timed out",
    "Network is unreachable",
    "No route to host",
    "Temporary failure in name resolution",
    "Name or service not known",
    "Could not resolve host",
    "No such host",
    "TLS handshake",
    "Remote host terminated",
)
"""What goes wrong with a connection, as the C library, Java and curl say it."""
_CODES = "(?:ECONNRESET|ECONNREFUSED|ETIMEDOUT|ESOCKETTIMEDOUT|ENOTFOUND|EAI_AGAIN|EPIPE|ERR_SOCKET_TIMEOUT)"
"""The same by Node."""
_ENDS = r"(?: \(\S{1,60}\))?\.?$"

RUNNER_TIMEOUT = table(
    ANYBODY.says(
        "The job running on runner .{1,200} has exceeded the maximum execution time",
        "The job has exceeded the maximum execution time",
        r"The action '.{0,300}' has timed out after \d{1,6} (?:minutes|seconds)",
    )
)
RUNNER_LOST = table(
    ANYBODY.says(
        "The runner has received a shutdown signal",
        "The (?:self-hosted |hosted )?runner.{0,200} (?:lost communication with the server|encountered an error)",
        "The job was not (?:acquired|started)",
        "The runner of type .{0,100} (?:was not|could not)",
        "Failed to download (?:action|archive) '",
        "Failed to resolve action download info",
        "An action could not be found at the URI",
        "GitHub Actions (?:has encountered|is temporarily unavailable)",
        "Docker (?:pull|create|start) failed with exit code",
        "Failed to initialize container ",
    )
)
RUNNER_CANCELED = table(ANYBODY.says(r"The operation was canceled\.?$"))
"""Said after a time limit, a lost runner, a newer commit or a person; which it was stands before it, if at all."""

MEMORY = table(
    ANYBODY.says(
        r"FATAL ERROR: .{0,200}(?:heap out of memory|Allocation failed)",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        r"(?:Exception in thread \S{1,100} |Caused by: |\[ERROR\] )?java\.lang\.OutOfMemoryError",
        "There is insufficient memory for the Java Runtime",
        r"\S{0,200}: fatal error: Killed signal terminated program",
        r".{0,300}\(signal: 9, SIGKILL: kill\)$",
        r"\S{0,200}: line \d{1,6}: {1,8}\d{1,10} Killed\b",
        r"MemoryError(?::|$)|Killed$",
        "(?:fatal error: )?runtime: (?:out of memory|cannot allocate memory)",
        r"memory allocation of \d{1,20} bytes failed",
        r"(?:Out of memory|oom-kill|OOMKilled)\b",
        "collect2: fatal error: ld terminated with signal 9|LLVM ERROR: out of memory",
    ),
    _GRADLE.says("Java heap space$", "Metaspace$", "GC overhead limit exceeded$"),
    _MAVEN.says("Java heap space", "GC overhead limit exceeded"),
    _PROGRAM.says("(?:fork: )?(?:retry: )?Cannot allocate memory$"),
)

OUTAGE = table(
    _PIP.tells_of(f"HTTP error {_BUSY}", r"\b5\d\d Server Error", r"too many 5\d\d error responses"),
    _UV.tells_of(r"HTTP status server error \(5\d\d", r"HTTP status client error \(429"),
    _NPM.says("code E429", r"code E5\d\d", f"{_BUSY} "),
    _PNPM.says(f"FETCH_{_BUSY}"),
    _YARN.tells_of(f'Request failed "?{_BUSY}', f"Response Code: {_BUSY}"),
    _CARGO.tells_of(f"got {_BUSY}$", f"HTTP response code {_BUSY}", f"returned error: {_BUSY}"),
    _GO.tells_of(f": {_BUSY} [A-Z]"),
    _MAVEN.tells_of(f"status(?: code)?: {_BUSY}", f"Return code is: {_BUSY}"),
    _GRADLE.tells_of(f"Received status code {_BUSY} from server"),
    _CURL.tells_of(f"returned error: {_BUSY}", f"HTTP {_BUSY}", r"server returned error .{0,20}5\d\d"),
    _DOCKER.tells_of(
        "toomanyrequests",
        r"unexpected (?:HTTP )?status.{0,80} 5\d\d",
        "net/http: ",
        "i/o timeout",
        "TLS handshake timeout",
        "connection reset by peer",
        "no space left on device",
    ),
    ANYBODY.says("toomanyrequests: ", "You have reached your (?:unauthenticated )?pull rate limit"),
    _GIT.says(
        "RPC failed; ",
        "the remote end hung up unexpectedly",
        "early EOF",
        r"unable to access '.{1,400}': The requested URL returned error: 5\d\d",
        "Internal Server Error",
    ),
    _APT.tells_of("Hash Sum mismatch", "File has unexpected size", r"  5\d\d  "),
    _ACTION.says(
        f"Unexpected HTTP response: {_BUSY}",
        rf"Response status code does not indicate success: \(?{_BUSY}",
        "(?:HttpError: )?(?:API rate limit exceeded|You have exceeded a secondary rate limit)",
        "(?:Failed to (?:save|restore): )?(?:Cache|Artifact) service responded with",
        "Failed to (?:CreateArtifact|FinalizeArtifact|GetSignedArtifactURL|ListArtifacts)",
        "(?:getCacheEntry|reserveCache) failed",
    ),
    _PROGRAM.tells_of(r"(?:: |\] )No space left on device(?: \(os error 28\))?\.?$"),
    _NPM.tells_of("ENOSPC"),
    ANYBODY.says("You are running out of disk space"),
)

NETWORK = table(
    _PROGRAM.says(*(f"{reason}(?: by peer)?{_ENDS}" for reason in _RESET), r"Could not resolve host: \S{1,200}$"),
    _PIP.tells_of(
        *_RESET,
        "NewConnectionError",
        "(?:Read|Connect)Timeout",
        "ProtocolError|SSLError|ProxyError|RemoteDisconnected|IncompleteRead|Max retries exceeded",
    ),
    _UV.tells_of(
        "error sending request", "dns error", "are you offline", r"Request failed after \d{1,3} retries", *_RESET
    ),
    _NPM.says(f"(?:code |errno |syscall )?(?:{_CODES}|FETCH_ERROR|EPROTO|CERT_|UNABLE_TO_)", "network "),
    _PNPM.tells_of("META_FETCH_FAIL", _CODES),
    _YARN.tells_of(_CODES, "RequestError", "network connection"),
    _CARGO.tells_of(
        "spurious network error",
        r"\[\d{1,3}\] (?:Couldn't|Could not|Timeout|SSL|Failure|Transferred)",
        "Could not resolve host",
        "network failure",
    ),
    _GO.tells_of("dial tcp", "i/o timeout", "connection (?:reset|refused)", "TLS handshake", "no such host"),
    _MAVEN.tells_of(
        "Could not transfer artifact .{1,400}(?:Connection|timed out|Unknown host|No such host|Remote host|PKIX)",
        "Failed to (?:collect|transfer) .{1,400}(?:Connection|timed out|Unknown host|Remote host)",
    ),
    _GRADLE.says("Could not (?:GET|HEAD|download) ", r"Connect to \S{1,200} failed", *_RESET),
    ANYBODY.says(r"(?:Exception in thread \"main\" )?java\.net\.(?:UnknownHost|SocketTimeout|Connect)Exception"),
    _CURL.tells_of(
        *_RESET,
        "Failed to connect",
        "SSL|GnuTLS",
        "(?:Recv|Send) failure",
        "Empty reply",
        "transfer closed",
        "unable to resolve host",
    ),
    _GIT.says(r"unable to access '.{1,400}': (?!The requested URL returned error)"),
    ANYBODY.says("ssh: (?:Could not resolve hostname|connect to host)", "fetch-pack: unexpected disconnect"),
    ANYBODY.says(
        r" {0,4}(?:Could not connect to|Cannot initiate the connection to) \S",
        " {0,4}(?:Temporary failure resolving|Could not resolve) '",
    ),
    _APT.tells_of("Could not connect", "Connection (?:failed|timed out)", "Temporary failure", "Unable to connect"),
    _ACTION.says(
        f"(?:read|connect|getaddrinfo|write) {_CODES}",
        "socket hang up",
        "Client network socket disconnected",
        "tunneling socket could not be established",
        "unable to (?:get local issuer|verify the first) certificate",
    ),
    ANYBODY.says(
        r"(?:requests|urllib3|httpx|aiohttp)\.[\w.]{1,80}(?:ConnectionError|Timeout|MaxRetryError|SSLError|ConnectError):",
        r"urllib\.error\.URLError: <urlopen error",
    ),
)
