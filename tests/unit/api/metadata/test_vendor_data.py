import http.server
import json
import threading

import pytest

from tests.unit.api.metadata.conftest import Service


@pytest.fixture
def target():
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, dict(self.headers), body))
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", "/good")
                self.end_headers()
                return
            self.send_response(200 if self.path == "/good" else 500)
            self.end_headers()
            self.wfile.write(b'{"answer": 42}')

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    server.asked = asked
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()


def document(service, name="vendor_data2.json"):
    code, body, _ = service.ask(f"/openstack/latest/{name}")
    assert code == 200
    return json.loads(body)


def test_without_any_it_is_empty(service):
    assert document(service, "vendor_data.json") == {}
    assert document(service) == {"static": {}}


def test_a_file_is_told_and_its_changes_too(conductor, tmp_path):
    file = tmp_path / "vendor.json"
    file.write_text('{"cloud": "nine"}')
    service = Service(conductor, vendor_file=str(file))
    assert document(service, "vendor_data.json") == {"cloud": "nine"}
    assert document(service) == {"static": {"cloud": "nine"}}
    file.write_text('{"cloud": "eleven"}')
    service.clock.advance(10)
    assert document(service, "vendor_data.json") == {"cloud": "eleven"}
    file.unlink()
    service.clock.advance(10)
    assert document(service, "vendor_data.json") == {"cloud": "eleven"}


def test_services_are_asked_about_the_guest(conductor, target):
    service = Service(conductor, vendor_targets=(f"one@{target.url}/good", f"two@{target.url}/bad"))
    assert document(service) == {"static": {}, "one": {"answer": 42}, "two": {}}
    path, headers, body = target.asked[0]
    assert (path, headers["Content-Type"]) == ("/good", "application/json")
    assert headers["User-Agent"] == "openstack-nova-vendordata"
    assert (body["project-id"], body["hostname"]) == ("proj", "web.novalocal")
    document(service)
    assert len(target.asked) == 2
    # the other documents do not trouble them
    document(service, "vendor_data.json")
    document(service, "meta_data.json")
    assert len(target.asked) == 2


def test_a_service_cannot_send_the_question_elsewhere(conductor, target):
    service = Service(conductor, vendor_targets=(f"one@{target.url}/moved",))
    assert document(service) == {"static": {}, "one": {}}
    assert [path for path, _, _ in target.asked] == ["/moved"]


def test_a_service_that_must_answer(conductor, target):
    service = Service(conductor, vendor_targets=(f"one@{target.url}/bad",), vendor_must_answer=True)
    assert service.code("/openstack/latest/vendor_data2.json") == 500
    assert service.code("/openstack/latest/meta_data.json") == 200


def test_a_wrongly_written_target_is_told_at_the_start(conductor):
    with pytest.raises(ValueError, match="name@url"):
        Service(conductor, vendor_targets=("nonsense",))
