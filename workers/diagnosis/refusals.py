"""Lines that show a credential that is missing, empty, or may not do what it was used for. Data only."""

from __future__ import annotations

from workers.diagnosis.lines import ANYBODY, Voice, table

_NO = "40[13]"
_ACTION = Voice(r"(?:(?:RequestError \[HttpError\]|Unhandled error|HttpError|Error|gh): ){0,3}")
_DOCKER = Voice(r"Error response from daemon: |ERROR: failed to solve: |#\d{1,4} ERROR: ")

PERMISSION = table(
    _ACTION.says(
        "Resource not accessible by (?:integration|personal access token)",
        "Input required and not supplied: .{0,60}(?:token|secret|key|password|credential)",
        "Username and password required",
        r"Parameter token or opts\.auth is required",
        "Bad credentials",
        "(?:Credentials could not be loaded|Could not load credentials)",
        "Unable to get ACTIONS_ID_TOKEN_REQUEST_URL",
        "To use GitHub CLI in a GitHub Actions workflow",
        "Not logged in",
    ),
    Voice("gh: ").tells_of(rf"\(HTTP {_NO}\)", "requires authentication"),
    ANYBODY.says(
        r"(?:remote: )?Permission to \S{1,200} denied to",
        "(?:remote: )?Write access to repository not granted",
        "(?:remote: )?Invalid username or (?:password|token)",
        "(?:remote: )?Support for password authentication was removed",
        "(?:remote: )?error: GH006: Protected branch",
        r"(?:remote: )?Repository not found\.?$",
        rf"fatal: unable to access '.{{1,400}}': The requested URL returned error: {_NO}",
        "fatal: (?:Authentication failed for|could not read (?:Username|Password) for)",
        r"\S{0,200}: Permission denied \(publickey",
        r"(?:denied|unauthorized): ",
        r"An error occurred \((?:AccessDenied|UnrecognizedClient|InvalidClientTokenId|ExpiredToken)",
    ),
    Voice("npm (?:ERR!|error) ").says("(?:code )?ENEEDAUTH", f"code E{_NO}", f"{_NO} ", "need auth "),
    Voice(" ?ERR_PNPM_").says(f"FETCH_{_NO}"),
    Voice("ERROR:? {1,6}").tells_of(f"HTTPError: {_NO} ", f"HTTP error {_NO}", f"{_NO} Client Error"),
    Voice(r"\[ERROR\] ").tells_of(rf"status(?: code)?: {_NO}\b"),
    Voice("curl: ").tells_of(rf"returned error: {_NO}\b"),
    _DOCKER.tells_of("unauthorized", "authentication required", "resource is denied", "no basic auth", "denied: "),
    Voice("error: ").tells_of(r"HTTP status client error \(40[13]"),
    Voice("(?:ERROR|Error|fatal): ").tells_of(
        r"\b(?:secret|token|API key|password|credentials?)\b.{0,60}(?:not set|is empty|is missing|required)"
    ),
)
