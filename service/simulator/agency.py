"""The agency itself: its store, its key, its token desk, its staff, and what it is doing at the moment."""

import asyncio
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import httpx

from service.fhir.json import JsonObject
from service.kernel.clock import Clock, instant, system_clock
from service.kernel.ids import new_id
from service.simulator import letter
from service.simulator.behaviour import Manner
from service.simulator.bell import Bell
from service.simulator.casebridge import Answer, Casebridge, NoToken
from service.simulator.keys import Key
from service.simulator.mail import Mail, MailDesk
from service.simulator.notebook import Notebook
from service.simulator.staff import OPEN, Desk, OwnDesk, TheirDesk, spoken, work
from service.simulator.store import Refusal, Store, Version
from service.simulator.tokens import TokenDesk
from service.simulator.transaction import linked, transaction


class Agency:
    """One simulated agency. `origin` is where it listens; `keep` a folder to remember things in, or None.

    `guarded`: its FHIR endpoint asks for a token. `light`: it works on Casebridge's server. `by_message`: it sends
    and is sent message Bundles.
    """

    def __init__(
        self, name: str, origin: str, manner: Manner, keep: Path | None = None, *,
        guarded: bool = True, light: bool = False, by_message: bool = False, clock: Clock = system_clock,
    ) -> None:  # fmt: skip
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
        self.name, self.origin, self.manner, self.guarded, self.light = name, origin, manner, guarded, light
        self._clock = clock
        self.base = f"{origin}/fhir"
        self.store = Store(keep / "store.ndjson" if keep else None, clock)
        self.key = Key(keep / "key.json" if keep else None, clock)
        self.desk = TokenDesk(f"{origin}/token", clock)
        self.notebook = Notebook()
        self.rings = True
        self.by_message = by_message
        self.mail = Mail(self.base, self.store, self._post, lambda: manner.pace)
        self.bell = Bell(self.base, self.store, manner)
        self.sent: list[JsonObject] = []
        self.casebridge: Casebridge | None = None
        self.organization = ""
        self._busy: dict[str, asyncio.Task[None]] = {}

    def say(self, text: str) -> None:
        """One line for the person who watches; never a client's name."""
        print(f"{system_clock():%H:%M:%S} {self.name}: {text}", flush=True)  # noqa: T201

    def register(self, origin: str, client_id: str | None = None, organization: str | None = None) -> None:
        """Casebridge is at `origin`; it knows this agency as `client_id` and `organization`."""
        self.desk.trust(origin)
        if client_id:
            self.casebridge = Casebridge(origin, client_id, self.key, clock=self._clock)
            self.organization = organization or ""
            if self.light:
                self._do("watch", self._watch(self.casebridge))

    def received(self, made: Sequence[Version]) -> None:
        """New versions arrived through our FHIR endpoint: say so, and put the staff to work."""
        for version in made:
            status = (version.resource or {}).get("status")
            is_task = version.type == "Task"
            shown = f" ({status})" if is_task else ""
            self.say(f"received {version.reference} version {version.number}{shown}")
            if is_task and status in ("requested", "received") and not self._ours(version):
                self._do(version.id, work(self._desk(), version.id, self.manner, self.say))
            if is_task and self._ours(version):
                self._heard(version)

    def resume(self) -> None:
        """After a restart: the staff goes on with what was under way."""
        for version in list(self.store.all("Task")):
            if (version.resource or {}).get("status") in OPEN and not self._ours(version):
                self._do(version.id, work(self._desk(), version.id, self.manner, self.say))

    def _desk(self) -> Desk:
        return MailDesk(self.store, self.mail) if self.by_message else OwnDesk(self.store, new_id)

    async def _post(self, message: JsonObject) -> Answer | None:
        """A message to Casebridge."""
        if self.casebridge is None:
            return None
        return await self._asked(self.casebridge, "POST", "/fhir/$process-message", message)

    def _heard(self, version: Version) -> None:
        """Of a referral of ours."""
        status = (version.resource or {}).get("status")
        for sent in self.sent:
            if sent["task"] == version.reference and status not in sent["seen"]:
                sent["seen"].append(status)

    def _ours(self, version: Version) -> bool:
        """Is this Task one that we asked of others? Then it carries an identifier of ours."""
        rows = (version.resource or {}).get("identifier") or []
        return any(str(each.get("system", "")).startswith(self.base) for each in rows)

    async def refer(self, wish: JsonObject) -> JsonObject:
        """File a referral here, send it to Casebridge, and watch it there. Refusal when it was not taken."""
        if self.casebridge is None:
            raise Refusal(409, "conflict", "this agency is not registered with Casebridge")
        number = new_id()
        wish = {"requester": {"reference": self.organization, "display": self.name}, **wish}
        bundle = letter.bundle(number, letter.resources(self.base, number, wish))
        sides = [wish[side]["reference"] for side in ("requester", "owner") if side in wish]
        filed, _ = transaction(self.store, linked(bundle, {each: self._there(each) for each in sides}))
        sent: JsonObject = {"task": _location(filed, 2), "identifier": f"{self.base}/referral|{number}"}
        sent["seen"] = []
        self.sent.append(sent)
        if self.by_message:
            await self._mailed(bundle, {each: self._there(each) for each in sides})
            return sent
        answer = await self._sent(self.casebridge, bundle)
        sent["there"] = f"{self.casebridge.origin}/fhir/{_location(answer.body, 2)}"
        self.say(f"sent a referral; it is {_location(answer.body, 2)} on Casebridge")
        self._do(number, self._follow(self.casebridge, sent))
        return sent

    async def _mailed(self, bundle: JsonObject, sides: dict[str, str]) -> None:
        rows = bundle["entry"]
        names = [str(each["fullUrl"]) for each in rows]
        await self.mail.send([linked(each["resource"], sides) for each in rows], names)
        self.say("sent a referral in a message")

    async def withdraw(self, sent: JsonObject, reason: str) -> JsonObject:
        """Call off a referral of ours, as the dialect has it: at once, by asking (BSeR 5.2), or by an abort Task (COW);
        answers the Task in which that was said."""
        assert self.casebridge is not None
        step = {"statusReason": {"text": reason}, "lastModified": instant(self._clock())}
        if self.by_message:
            found = self.store.current("Task", sent["task"].partition("/")[2])
            asked = {**((found and found.resource) or {}), **step, "status": "in-progress", **spoken("5.2")}
            await self.mail.send([asked], [f"urn:uuid:{new_id()}"])
            return asked
        answer = await self.casebridge.ask("GET", sent["there"])
        task, etag = answer.body, answer.headers.get("etag", "")
        if self.manner.dialect == "cow" and task["status"] in ("in-progress", "on-hold"):
            abort = letter.abort(self.base, new_id(), task, step)
            return await self._written("POST", "/fhir/Task", abort, "")
        moved = (
            {"status": "in-progress", **spoken("5.2")}
            if self.manner.dialect == "bser"
            else {"status": "cancelled"}
        )
        return await self._written("PUT", sent["there"], {**task, **step, **moved}, etag)

    async def _written(self, method: str, path: str, body: JsonObject, etag: str) -> JsonObject:
        assert self.casebridge is not None
        answer = await self.casebridge.ask(method, path, body, {"If-Match": etag} if etag else None)
        if not answer.ok:
            raise Refusal(answer.status, "processing", answer.sentence)
        written: JsonObject = answer.body
        return written

    async def _sent(self, casebridge: Casebridge, bundle: JsonObject) -> Answer:
        """Sent, and sent again when no answer came: conditional creates make that harmless."""
        for _ in range(3):
            answer = await self._asked(casebridge, "POST", "/fhir", bundle)
            if answer is not None and answer.ok:
                return answer
            if answer is not None and answer.status < 500:
                raise Refusal(502, "processing", f"Casebridge answered {answer.sentence}")
            await asyncio.sleep(self.manner.pace)
        raise Refusal(502, "transient", "Casebridge does not take the referral")

    def _there(self, reference: str) -> str:
        assert self.casebridge is not None
        return f"{self.casebridge.origin}/fhir/{reference}"

    async def _follow(self, casebridge: Casebridge, sent: JsonObject) -> None:
        """Read our referral on Casebridge's server until it is over; remember every status seen."""
        while True:
            answer = await self._asked(casebridge, "GET", sent["there"])
            status = answer.body.get("status") if answer and answer.ok else None
            if status and status not in sent["seen"]:
                sent["seen"].append(status)
                self.say(f"read on Casebridge: our referral is {status}")
            if status in ("completed", "rejected", "cancelled", "failed", "entered-in-error"):
                return
            await asyncio.sleep(self.manner.pace)

    async def _watch(self, casebridge: Casebridge) -> None:
        """Direct light: look for Tasks that Casebridge holds for us, and work on them there."""
        desk: Desk = TheirDesk(casebridge)
        while True:
            query = f"/fhir/Task?owner={self.organization}&status=requested"
            answer = await self._asked(casebridge, "GET", query)
            rows = answer.body.get("entry", []) if answer and answer.ok else []
            for row in rows:
                task = row.get("resource", {})
                if task.get("resourceType") == "Task" and task["id"] not in self._busy:
                    self.say(f"found Task/{task['id']} on Casebridge (requested)")
                    self._do(task["id"], work(desk, task["id"], self.manner, self.say))
            await asyncio.sleep(self.manner.pace)

    async def _asked(
        self, casebridge: Casebridge, method: str, path: str, body: JsonObject | None = None
    ) -> Answer | None:
        """An answer, or None when Casebridge is away for the moment."""
        try:
            return await casebridge.ask(method, path, body)
        except (httpx.HTTPError, NoToken) as error:
            self.say(f"Casebridge cannot be asked: {error or type(error).__name__}")
            return None

    def _do(self, name: str, doing: Coroutine[Any, Any, None]) -> None:
        """Start something of the staff's; one thing at a time per referral."""
        under_way = self._busy.get(name)
        if under_way is not None and not under_way.done():
            doing.close()
            return
        self._busy[name] = asyncio.create_task(self._guarded(doing))

    async def _guarded(self, doing: Coroutine[Any, Any, None]) -> None:
        try:
            await doing
        except (httpx.HTTPError, NoToken, Refusal) as error:
            self.say(f"gave up on a referral: {error or type(error).__name__}")

    def shown(self) -> JsonObject:
        """For the control desk."""
        tasks = [
            {"task": each.reference, "status": (each.resource or {}).get("status"), "version": each.number}
            for each in self.store.all("Task")
        ]
        return {
            "name": self.name,
            "behaviour": self.manner.behaviour,
            "fhir": self.base,
            "token": self.desk.url,
            "jwks": f"{self.origin}/.well-known/jwks.json",
            "requests": len(self.notebook.heard),
            "tasks": tasks,
        }

    async def close(self) -> None:
        """The staff goes home."""
        for task in self._busy.values():
            task.cancel()
        await asyncio.gather(*self._busy.values(), return_exceptions=True)
        await self.bell.close()
        if self.casebridge is not None:
            await self.casebridge.close()


def _location(response: Any, place: int) -> str:
    """`Type/id` of an entry of a transaction response."""
    location = str(response["entry"][place]["response"]["location"]).split("/_history/")[0]
    return "/".join(location.split("/")[-2:])
