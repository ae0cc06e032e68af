"""JUnit, read back by a parser of others, and names that try to break the XML."""

from __future__ import annotations

import sys
from dataclasses import replace
from xml.etree import ElementTree

import junitparser
import pytest
from rendered import NAMES, NORMAL, SIGNATURE, WARNING, failure, image, results, unmet

from softdice_cli.records import ClassDef, Results, Run, Settings, Verdict
from softdice_cli.render import neutral, to_text
from softdice_cli.scores import summarize

JUNIT = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="softdice" tests="3" failures="1" errors="1" skipped="0" time="0">
  <testsuite name="softdice" tests="3" failures="1" errors="1" skipped="0" time="0">
    <properties>
      <property name="signature" value="{SIGNATURE}"/>
      <property name="complete" value="no"/>
      <property name="images" value="2"/>
      <property name="failed pairs" value="1"/>
      <property name="left out" value="1 of 4 pairs"/>
      <property name="pooled:loss" value="0.5"/>
      <property name="pooled:soft_dice" value="0.5"/>
      <property name="pooled:dice" value="0.5"/>
      <property name="pooled:iou" value="0.5"/>
      <property name="pooled:loss_present" value="0.25"/>
      <property name="image_mean:loss" value="0.5"/>
      <property name="image_mean:soft_dice" value="0.5"/>
      <property name="image_mean:dice" value="undefined"/>
      <property name="image_mean:iou" value="0.5"/>
      <property name="image_mean:loss_present" value="0.25"/>
    </properties>
    <testcase classname="softdice.requirements" name="dice&gt;=0.5" time="0"/>
    <testcase classname="softdice.requirements" name="image_min:dice[cell]&gt;=0.6" time="0">
      <failure message="value 0.5000, required &gt;= 0.6000, margin -0.1000" type="requirement">\
value 0.5000, required &gt;= 0.6000, margin -0.1000
images that miss it, the worst first:
x
y</failure>
    </testcase>
    <testcase classname="softdice.pairs" name="w" time="0">
      <error message="cannot be read" type="pair">\
cannot be read; expected a PNG; found 7 bytes; try look at it</error>
    </testcase>
    <system-out>{WARNING}
left out: v.npy</system-out>
  </testsuite>
</testsuites>
"""


def junit(found: Results) -> str:
    return to_text(found, "junit")


def test_junit_as_a_server_gets_it():
    """With short numbers in place of the means, whose last digits are not what this is about."""
    met, sunk = NORMAL.requirements
    means = replace(NORMAL.pooled.means, values=dict.fromkeys(NORMAL.pooled.means.values, 0.5))
    pooled = replace(NORMAL.pooled, means=means, loss_present=0.25)
    image_mean = replace(
        NORMAL.image_mean, means=replace(means, values={**means.values, "dice": None}), loss_present=0.25
    )
    verdicts = (replace(met, passed=True, reason=""), replace(sunk, reason=""))
    found = replace(NORMAL, pooled=pooled, image_mean=image_mean, requirements=verdicts)
    assert junit(found) == JUNIT.replace("0.3466", "0.2500")


def suite(found: Results) -> tuple[ElementTree.Element, junitparser.TestSuite]:
    text = junit(found)
    assert text.isascii()
    root = ElementTree.fromstring(text.encode())
    (read,) = junitparser.JUnitXml.fromstring(text.encode())
    assert {element.get("time") for element in root.iter() if element.tag.startswith("test")} == {"0"}
    assert not {"timestamp", "hostname"} & {name for element in root.iter() for name in element.keys()}  # noqa: SIM118
    counts = [(read.tests, read.failures, read.errors, read.skipped)]
    read.update_statistics()
    assert counts == [(read.tests, read.failures, read.errors, read.skipped)]  # as declared, so counted
    return root.find("testsuite"), read


def test_a_reader_of_junit_finds_every_verdict():
    _, read = suite(NORMAL)
    cases = [(c.classname, c.name, [(type(r).__name__, r.type) for r in c.result]) for c in read]
    assert cases == [
        ("softdice.requirements", "dice>=0.5", [("Failure", "incomplete")]),
        ("softdice.requirements", "image_min:dice[cell]>=0.6", [("Failure", "incomplete")]),
        ("softdice.pairs", "w", [("Error", "pair")]),
    ]
    values = {p.name: p.value for p in read.properties()}
    assert values["signature"] == NORMAL.settings.signature
    assert float(values["pooled:loss"]) == NORMAL.pooled.means.loss  # unrounded


def test_an_undefined_mean_says_so():
    settings = Settings(classes=(ClassDef("a", 0), ClassDef("b", 1)))
    found = summarize(Run(settings=settings, rows=(image("x", (0, 0, 0), (0, 0, 0)),)))
    _, read = suite(found)
    assert {p.name: p.value for p in read.properties()}["pooled:dice"] == "undefined"


@pytest.mark.parametrize("name", NAMES)
def test_no_name_breaks_the_xml(name):
    verdicts = (Verdict(f"dice[{name}]>=0.9", 0.5, ">=", 0.9, False, "", (name, "other")),)
    found = results(names=("sky", "cell", name), images=("x", name), failures=(name,), left_out=(name,))
    root, read = suite(replace(found, requirements=verdicts))
    plain = neutral(name)
    rule, pair = read
    assert (rule.name, pair.name) == (f"dice[{plain}]>=0.9", plain)
    assert rule.result[0].text.endswith(f"first:\n{plain}\nother")
    assert root.find("system-out").text.endswith(f"\nleft out: {plain}")


def test_no_character_at_all_breaks_the_xml():
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    found = replace(results(), run=replace(results().run, failures=(failure(every),)))
    _, read = suite(found)
    assert next(iter(read)).name == neutral(every)


def test_every_failure_has_its_case():
    found = replace(results(failures=[f"pair {i}" for i in range(5000)]), requirements=unmet(51))
    _, read = suite(found)
    assert (read.tests, read.failures, read.errors) == (5050, 50, 5000)
