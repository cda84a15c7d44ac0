#!/usr/bin/env python3
"""Lints many certificates with one start of pkilint.

Reads lines from stdin: one path (a certificate), or two with a tab between (issuer, subject).
Prints one line of JSON: a list of {"files", "severity", "code", "message"}, findings of WARNING and above only.
"""

import contextlib
import io
import json
import sys

from pkilint.bin import lint_pkix_cert, lint_pkix_signer_signee_cert_chain


def lint(main, files):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        # The exit status counts findings.
        main(["lint", "-s", "WARNING", "-f", "JSON", *files])
    for result in json.loads(said.getvalue())["results"]:
        for finding in result["finding_descriptions"]:
            yield {
                "files": files,
                "severity": finding["severity"],
                "code": finding["code"],
                "message": finding.get("message"),
            }


def run():
    findings = []
    for line in sys.stdin:
        files = line.rstrip("\n").split("\t")
        main = lint_pkix_cert.main if len(files) == 1 else lint_pkix_signer_signee_cert_chain.main
        findings.extend(lint(main, files))
    json.dump(findings, sys.stdout)
    print()


run()
