"""Uses Twilio's own client on a simulated Twilio: a line of JSON in, a line out."""

import json
import sys

from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

BASE, SID, TOKEN, NUMBER = sys.argv[1:]


class Redirected(TwilioHttpClient):
    def request(self, method, url, *args, **kwargs):
        url = url.replace("https://api.twilio.com", BASE.rstrip("/"))
        return super().request(method, url, *args, **kwargs)


client = Client(SID, TOKEN, http_client=Redirected())


def do(question):
    if question["do"] == "text":
        message = client.messages.create(to=question["to"], from_=NUMBER, body="Ahoy é")
        return {"sid": message.sid, "status": message.status, "date": str(message.date_created)}
    if question["do"] == "call":
        call = client.calls.create(to=question["to"], from_=NUMBER, url=question["url"])
        return {"sid": call.sid, "status": call.status}
    if question["do"] == "list":
        messages = client.messages.list(to=question["to"], limit=20)
        calls = client.calls.list(to=question["to"], limit=20)
        return {"messages": [m.sid for m in messages], "calls": [c.sid for c in calls]}
    account = client.api.accounts(SID).fetch()
    return {"status": account.status}


for line in sys.stdin:
    try:
        answer = do(json.loads(line))
    except TwilioRestException as error:
        answer = {"status": error.status, "code": error.code}
    print(json.dumps(answer), flush=True)
