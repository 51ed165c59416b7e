"""A program that serves a slow little application, tells its port, and stops when told; both modes.

Run as ``python -m tests.unit.api.wsgi.served``: the mode is in ``NOVA_CONCURRENCY``.
"""

from nova import concurrency

concurrency.start()

import json  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402

from nova.api.wsgi.server import HttpServer  # noqa: E402
from nova.clock import Clock  # noqa: E402
from nova.conf.wsgi import ServerConf  # noqa: E402


def application(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.6)
    length = int(environ.get("CONTENT_LENGTH") or 0)
    text = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {environ['wsgi.input'].read(length).decode()}"
    body = text.encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def main() -> None:
    server = HttpServer(application, ServerConf(listen="127.0.0.1", port=0, drain_s=5.0), Clock())
    server.start()
    print(server.address[1], flush=True)
    told = threading.Event()

    def wait() -> None:
        concurrency.in_native_thread(sys.stdin.readline)
        told.set()

    threading.Thread(target=wait, daemon=True).start()
    told.wait()
    finished = server.stop(5.0)
    print(json.dumps({"mode": concurrency.mode(), "finished": finished}), flush=True)


if __name__ == "__main__":
    main()
