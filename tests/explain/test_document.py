"""The explanation as data holds what the text says beyond the plan."""

import json

from kt.explain import explain_text, explanation
from kt.plan import to_data
from kt.units import show_duration
from tests.support.plans import plan, scan_step, target


def test_what_the_text_says_is_in_the_data() -> None:
    three = tuple(target(name) for name in "abc")
    whole = plan(scan_step("one", "abc"), targets=three, queue=10.0, request=20.0)
    data = json.loads(json.dumps(to_data(explanation(whole))))
    text = explain_text(whole)
    assert data.keys() == {"bounds", "never", "holds", "first_text"}
    assert data["never"]
    assert all(f"  {warning}\n" in text for warning in data["never"])
    assert data["first_text"] in text
    for bound in data["bounds"]:
        assert bound["because"] in text
        seconds = bound["seconds"]
        assert ("no bound" if seconds is None else show_duration(seconds)) in text
    assert [one["what"] for one in data["holds"]] == ["one", "all together", "tool arguments"]
