"""A QuestionnaireResponse against its Questionnaire.

https://hl7.org/fhir/R4/questionnaireresponse.html: linkIds and their order, nesting, repeats, what must be
answered, what must not (enableWhen), each answer, and constraint expressions. While a response is in
progress, what is still missing is no error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from service.fhir.json import Json, JsonObject
from service.fhir.outcome import Issue, IssueCode, Severity
from service.fhir.validate.answers import MemberOf, flaws
from service.fhir.validate.constraining import Expressions
from service.fhir.validate.enabling import Given, enabled
from service.fhir.validate.items import HL7, Definition, every, extension, objects, read
from service.fhir.validate.place import Place, expression, root
from service.fhir.validate.terms import codes_of_compose, codes_of_expansion

_PAGE = "https://hl7.org/fhir/R4/questionnaireresponse.html"
_DONE = ("completed", "amended")


def _cannot_tell(_value: Json, _url: str) -> bool | None:
    return None


def check_answers(
    response: JsonObject, questionnaire: JsonObject, member_of: MemberOf = _cannot_tell
) -> list[Issue]:
    """Everything wrong with a response as an answer to this questionnaire.

    Both are decoded JSON. `member_of(value, value set)` decides answerValueSet (`Definitions.member_of`);
    what it cannot decide is information. Pure; never raises, whatever the shape.
    """
    definitions = read(questionnaire)
    check = _Check(
        response=response,
        questionnaire=questionnaire,
        member_of=member_of,
        links={item.link: item for item in every(definitions)},
        done=response.get("status") in _DONE,
        expressions=Expressions(response, questionnaire, member_of),
        source=str(questionnaire.get("url") or _PAGE),
    )
    place = root("QuestionnaireResponse")
    check.canonical(place)
    check.level(definitions, response, [response], place)
    check.constraints(questionnaire, response, place)
    return list(dict.fromkeys(check.issues))


@dataclass(slots=True)
class _Check:
    response: JsonObject
    questionnaire: JsonObject
    member_of: MemberOf
    links: Mapping[str, Definition]
    done: bool
    source: str
    expressions: Expressions
    given: Given = field(default_factory=Given)
    issues: list[Issue] = field(default_factory=list)

    def say(
        self, place: Place, code: IssueCode, rule: str, finding: str, *, severity: Severity = "error"
    ) -> None:
        where = expression(place)
        self.issues.append(
            Issue(severity, code, f"{where}: {finding} ({self.source})", where, rule, self.source)
        )

    def canonical(self, place: Place) -> None:
        url, asked = self.questionnaire.get("url"), self.response.get("questionnaire")
        if isinstance(url, str) and isinstance(asked, str) and ":" in asked:
            bare, _, version = asked.partition("|")
            if bare != url:
                self.say(
                    (place, "questionnaire", -1),
                    "value",
                    "qr-questionnaire",
                    "this names another questionnaire",
                )
            elif version and version != self.questionnaire.get("version", version):
                finding = f"the response is to version {version[:20]}, checked against another one"
                self.say(
                    (place, "questionnaire", -1), "value", "qr-questionnaire", finding, severity="warning"
                )

    def level(
        self, items: list[Definition], owner: JsonObject, around: Sequence[JsonObject], place: Place
    ) -> None:
        """The items of one level: known, in order, enough of them and not too many; then each."""
        known = {item.link: item for item in items}
        given: dict[str, list[tuple[JsonObject, Place]]] = {}
        last = 0
        for index, row in enumerate(objects(owner.get("item"))):
            at = (place, "item", index)
            item = known.get(str(row.get("linkId")))
            if item is None:
                self.stray(row, at)
                continue
            if item.place < last:
                finding = "the item stands after one that follows it in the questionnaire"
                self.say(at, "structure", "qr-order", finding)
            last = max(last, item.place)
            given.setdefault(item.link, []).append((row, at))
        for item in items:
            self.item(item, given.get(item.link, []), around, place)

    def stray(self, row: JsonObject, at: Place) -> None:
        link = row.get("linkId")
        if not isinstance(link, str):
            self.say(at, "required", "qr-linkId", "the item has no linkId")
        elif link in self.links:
            self.say(
                (at, "linkId", -1),
                "structure",
                "qr-nesting",
                "the questionnaire has this item at another level",
            )
        else:
            self.say(
                (at, "linkId", -1), "value", "qr-linkId", "the questionnaire has no item with this linkId"
            )

    def item(
        self,
        item: Definition,
        rows: list[tuple[JsonObject, Place]],
        around: Sequence[JsonObject],
        place: Place,
    ) -> None:
        if not self.enabled(item, around):
            for row, at in rows:
                self.disabled(row, at)
            return
        self.counted(item, rows, place)
        for row, at in rows:
            self.content(item, row, around, at)

    def enabled(self, item: Definition, around: Sequence[JsonObject]) -> bool:
        if "extension" in item.facts:
            verdict = self.expressions.enables(item.facts, around[-1])
            if verdict is not None:
                return verdict
        return enabled(item, around, self.given)

    def disabled(self, row: JsonObject, at: Place) -> None:
        if "answer" in row or "item" in row:
            finding = "the item is answered although enableWhen does not enable it"
            severity: Severity = "error" if self.done else "warning"
            self.say(at, "business-rule", "qr-enableWhen", finding, severity=severity)

    def counted(self, item: Definition, rows: list[tuple[JsonObject, Place]], place: Place) -> None:
        answers = sum(len(objects(row.get("answer"))) for row, _ in rows) if item.is_question else len(rows)
        at = rows[0][1] if rows else (place, "item", -1)
        if item.required and self.done and answers == 0 and item.type != "display":
            finding = f"the item {item.link!r} must be answered, found no answer"
            self.say(at, "required", "qr-required", finding)
        if item.is_question and len(rows) > 1:
            finding = f"the question {item.link!r} stands {len(rows)} times; several answers go into one item"
            self.say(rows[1][1], "structure", "qr-repeats", finding)
        elif answers > 1 and not item.repeats:
            again = ((rows[0][1], "answer", 1)) if item.is_question else rows[1][1]
            self.say(
                again, "structure", "qr-repeats", f"the item {item.link!r} does not repeat, found {answers}"
            )
        if "extension" in item.facts and (rows or item.required):
            self.occurrences(item, answers, at)

    def occurrences(self, item: Definition, answers: int, at: Place) -> None:
        least = extension(item.facts, f"{HL7}questionnaire-minOccurs")
        most = extension(item.facts, f"{HL7}questionnaire-maxOccurs")
        if isinstance(least, int) and answers < least and self.done:
            finding = f"at least {least} are required of {item.link!r}, found {answers}"
            self.say(at, "required", "qr-minOccurs", finding)
        if isinstance(most, int) and answers > most:
            self.say(
                at,
                "structure",
                "qr-maxOccurs",
                f"at most {most} are allowed of {item.link!r}, found {answers}",
            )

    def content(self, item: Definition, row: JsonObject, around: Sequence[JsonObject], at: Place) -> None:
        answers = objects(row.get("answer"))
        if answers and not item.is_question:
            finding = f"an item of type {item.type} cannot be answered"
            self.say((at, "answer", 0), "structure", f"qr-{item.type}-answer", finding)
            return
        if item.is_question:
            if "item" in row:
                finding = "items below a question belong into its answer"
                self.say((at, "item", 0), "structure", "qr-nesting", finding)
            for index, answer in enumerate(answers):
                self.answer(item, answer, [*around, row], (at, "answer", index))
            self.exclusive(item, answers, at)
        else:
            self.level(item.children, row, [*around, row], at)
        if "extension" in item.facts:
            self.constraints(item.facts, row, at)

    def answer(self, item: Definition, answer: JsonObject, around: Sequence[JsonObject], at: Place) -> None:
        for key, value in answer.items():
            if key.startswith("value"):
                where = (at, f"value.ofType({_type(key)})", -1)
                for flaw in flaws(item, key, value, self.contained_or_known):
                    code: IssueCode = "not-supported" if flaw.undecided else "value"
                    severity: Severity = "information" if flaw.undecided else "error"
                    self.say(where, code, flaw.rule, flaw.finding, severity=severity)
        if item.children or "item" in answer:
            self.level(item.children, answer, [*around, answer], at)

    def exclusive(self, item: Definition, answers: list[JsonObject], at: Place) -> None:
        options = objects(item.facts.get("answerOption")) if len(answers) > 1 else []
        alone = [o for o in options if extension(o, f"{HL7}questionnaire-optionExclusive") is True]
        for option in alone:
            values = [v for k, v in option.items() if k.startswith("value")]
            if any(v in values for answer in answers for k, v in answer.items() if k.startswith("value")):
                finding = "an option that excludes the others is chosen together with others"
                self.say(at, "business-rule", "qr-exclusive", finding)

    def contained_or_known(self, value: Json, url: str) -> bool | None:
        if not url.startswith("#"):
            return self.member_of(value, url)
        for each in objects(self.questionnaire.get("contained")):
            if each.get("id") == url[1:]:
                return _in_contained(value, each)
        return None

    def constraints(self, owner: JsonObject, focus: JsonObject, at: Place) -> None:
        for each in self.expressions.broken(owner, focus):
            self.say(at, each.code, each.key, each.finding, severity=each.severity)


def _type(key: str) -> str:
    name = key.removeprefix("value")
    return name if name in ("Coding", "Attachment", "Reference", "Quantity") else name[:1].lower() + name[1:]


def _in_contained(value: Json, value_set: JsonObject) -> bool | None:
    try:
        codes = codes_of_expansion(value_set) or codes_of_compose(value_set, lambda _: None, lambda _: None)
    except (KeyError, TypeError, AttributeError):
        return None
    if codes is None or not isinstance(value, dict):
        return None
    return value.get("code") in codes.get(str(value.get("system", "")), ())
