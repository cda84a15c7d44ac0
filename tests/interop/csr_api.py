"""As much of an API server as certificates.k8s.io/v1 needs: kubectl talks to it, and it signs what was approved.

csr_api.py PORT DIR: DIR has tls.crt and tls.key of the server, ca.crt and ca.key of the signers, token; requests.log is written there.
"""

import base64
import http.server
import json
import re
import ssl
import subprocess
import sys

PORT, DIR = int(sys.argv[1]), sys.argv[2]
GROUP = "/apis/certificates.k8s.io"
ALL = f"{GROUP}/v1/certificatesigningrequests"
USAGES = {
    "kubernetes.io/kubelet-serving": {"digital signature", "key encipherment", "server auth"},
    "kubernetes.io/kube-apiserver-client-kubelet": {"digital signature", "key encipherment", "client auth"},
    "kubernetes.io/kube-apiserver-client": {"digital signature", "key encipherment", "client auth"},
}
TOKEN = open(f"{DIR}/token").read()
objects = {}


def openssl(*words, given=None):
    done = subprocess.run(["openssl", *words], input=given, capture_output=True)
    if done.returncode != 0:
        sys.exit(done.stderr.decode())
    return done.stdout


def flaws(it):
    """What the real one refuses with 422, as far as a client can get it wrong."""
    spec = it.get("spec", {})
    if it.get("apiVersion") != "certificates.k8s.io/v1" or it.get("kind") != "CertificateSigningRequest":
        yield "apiVersion and kind"
    if set(it) - {"apiVersion", "kind", "metadata", "spec"}:
        yield f"unknown fields: {sorted(it)}"
    if set(spec) - {"request", "signerName", "expirationSeconds", "usages"}:
        yield f"unknown fields: {sorted(spec)}"
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", it["metadata"]["name"]):
        yield "metadata.name"
    if spec.get("signerName") not in USAGES:
        yield "spec.signerName"
    elif not spec.get("usages") or set(spec["usages"]) - USAGES[spec["signerName"]]:
        yield f"spec.usages: {spec.get('usages')}"
    if not isinstance(spec.get("expirationSeconds", 600), int) or spec.get("expirationSeconds", 600) < 600:
        yield "spec.expirationSeconds"
    pem = base64.b64decode(spec["request"], validate=True)
    if b"verify OK" not in subprocess.run(["openssl", "req", "-noout", "-verify"], input=pem, capture_output=True).stderr:
        yield "spec.request"


def signed(it):
    pem = base64.b64decode(it["spec"]["request"])
    words = ["-CA", f"{DIR}/ca.crt", "-CAkey", f"{DIR}/ca.key", "-days", "30", "-copy_extensions", "copyall"]
    return base64.b64encode(openssl("x509", "-req", *words, given=pem)).decode()


class Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def say(self, code, what):
        body = json.dumps(what).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def fail(self, code, reason, message):
        status = {"status": "Failure", "code": code, "reason": reason, "message": message}
        self.say(code, {"apiVersion": "v1", "kind": "Status", "metadata": {}, **status})

    def handle_one(self):
        path = self.path.split("?")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with open(f"{DIR}/requests.log", "a") as log:
            log.write(f"{self.command} {path}\n")
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.fail(401, "Unauthorized", "Unauthorized")
        version = {"groupVersion": "certificates.k8s.io/v1", "version": "v1"}
        group = {"name": "certificates.k8s.io", "versions": [version], "preferredVersion": version}
        resource = {"name": "certificatesigningrequests", "singularName": "certificatesigningrequest", "namespaced": False,
                    "kind": "CertificateSigningRequest", "shortNames": ["csr"], "verbs": ["create", "get", "update"]}
        fixed = {
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/api/v1": {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1", "resources": []},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]},
            f"{GROUP}/v1": {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version["groupVersion"],
                            "resources": [resource]},
        }
        name, _, part = path.removeprefix(ALL).strip("/").partition("/")
        if self.command == "GET" and path in fixed:
            return self.say(200, fixed[path])
        if self.command == "POST" and path == ALL:
            it = json.loads(body)
            wrong = list(flaws(it))
            if wrong:
                return self.fail(422, "Invalid", f"{it['metadata']['name']} is invalid: {wrong}")
            if it["metadata"]["name"] in objects:
                return self.fail(409, "AlreadyExists", "it already exists")
            objects[it["metadata"]["name"]] = it
            return self.say(201, it)
        if path.startswith(ALL) and name in objects:
            it = objects[name]
            if self.command == "GET" and not part:
                return self.say(200, it)
            if self.command == "PUT" and part == "approval":
                it["status"] = json.loads(body)["status"]
                if any(condition["type"] == "Approved" for condition in it["status"]["conditions"]):
                    it["status"]["certificate"] = signed(it)
                return self.say(200, it)
        return self.fail(404, "NotFound", f'certificatesigningrequests.certificates.k8s.io "{name}" not found')

    do_GET = do_POST = do_PUT = handle_one


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{DIR}/tls.crt", f"{DIR}/tls.key")
server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Api)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
