"""`python -m tests.model --port 0`: prints one JSON line with the address and serves until it is stopped."""

from __future__ import annotations

import argparse
import json
import sys

from tests.model.server import Server


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    server = Server(parser.parse_args().port)
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{server.server_port}/v1"}) + "\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
