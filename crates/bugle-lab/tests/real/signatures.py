"""Checks signatures with libraries that we did not write: a line of JSON in, a line out."""

import json
import sys

from standardwebhooks.webhooks import Webhook
from twilio.request_validator import RequestValidator


def check(question):
    if question["kind"] == "webhook":
        Webhook(question["secret"]).verify(question["body"], question["headers"])
        return True
    params = dict(question["params"])
    validator = RequestValidator(question["token"])
    return validator.validate(question["url"], params, question["signature"])


for line in sys.stdin:
    try:
        answer = {"ok": check(json.loads(line))}
    except Exception as error:
        answer = {"ok": False, "why": repr(error)}
    print(json.dumps(answer), flush=True)
