"""Pictures of a stack: what they show, that nothing overlaps, and that they never change by chance."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from random import Random

import pytest

from mlops_iac.graph.dot import to_dot
from mlops_iac.graph.html import to_html
from mlops_iac.graph.layers import Size, draw
from mlops_iac.graph.mermaid import to_mermaid
from mlops_iac.graph.model import STACK_TYPE, Resource, ResourceGraph
from mlops_iac.graph.picture import Arrow, picture
from mlops_iac.graph.provenance import blueprint_paths
from mlops_iac.graph.svg import to_svg

STACK = Resource(urn="urn:stack", type=STACK_TYPE, name="demo-prod", custom=False)


def component(name: str, kind: str) -> Resource:
    return Resource(f"c:{name}", f"mlops-iac:aws:{kind}", name, False, parent="urn:stack")


def inside(parent: str, type_: str, name: str, *needs: str) -> Resource:
    return Resource(f"r:{name}", type_, name, True, parent=f"c:{parent}", dependencies=tuple(needs))


@pytest.fixture
def graph() -> ResourceGraph:
    return ResourceGraph(
        "demo",
        "prod",
        (
            STACK,
            component("keys", "Keys"),
            inside("keys", "aws:kms/key:Key", "keys-key"),
            component("data", "DataStore"),
            inside("data", "aws:s3/bucket:Bucket", "data-in", "r:keys-key"),
            inside("data", "aws:s3/bucket:Bucket", "data-out", "r:keys-key"),
            component("api", "RealTimeEndpoint"),
            inside("api", "aws:sagemaker/model:Model", "api-model", "r:data-out", "r:keys-key"),
            inside("api", "aws:sagemaker/endpoint:Endpoint", 'api-<b>&"', "r:api-model"),
            Resource("r:x", "aws:sns/topic:Topic", "lonely", True, parent="urn:stack"),
            Resource("r:p", "pulumi:providers:aws", "default", True, parent="urn:stack"),
        ),
    )


def test_boxes_are_components_and_arrows_only_those_that_say_something_new(
    graph: ResourceGraph,
) -> None:
    drawn = picture(graph)
    assert {(box.title, box.kind, box.size) for box in drawn.boxes} == {
        ("keys", "Keys", 1),
        ("data", "DataStore", 2),
        ("api", "RealTimeEndpoint", 2),
        ("lonely", "Topic", 1),
    }
    order = [box.title for box in drawn.boxes]
    assert order.index("keys") < order.index("data") < order.index("api")
    # keys → api follows from keys → data → api.
    assert drawn.arrows == (Arrow("c:keys", "c:data", "Key"), Arrow("c:data", "c:api", "Bucket"))
    data = next(box for box in drawn.boxes if box.title == "data")
    assert [(group.label, group.names) for group in data.groups] == [("Bucket ×2", ("in", "out"))]


def test_pictures_do_not_depend_on_the_order_of_registration(graph: ResourceGraph) -> None:
    for seed in range(5):
        resources = list(graph.resources)
        Random(seed).shuffle(resources)
        shuffled = ResourceGraph("demo", "prod", tuple(resources))
        for drawing in (to_svg, to_mermaid, to_dot, to_html):
            assert drawing(shuffled) == drawing(graph)


def test_svg_is_well_formed_and_escapes_names(graph: ResourceGraph) -> None:
    root = ET.fromstring(to_svg(graph))
    texts = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"demo · prod", "keys", "data", "api", "lonely", "Bucket ×2", "in, out"} <= texts
    assert '<b>&"' in texts
    assert "prefers-color-scheme: dark" in to_svg(graph)


def test_mermaid_and_dot_escape_names(graph: ResourceGraph) -> None:
    text = to_mermaid(graph)
    assert text.startswith("flowchart TB\n")
    assert len(re.findall(r"^  box\d+ --> box\d+$", text, re.M)) == 2
    dot = to_dot(graph)
    assert '[label="sagemaker.Endpoint/api-<b>&\\""]' in dot
    assert dot.count("subgraph") == 4
    assert dot.count(" -> ") == 5


def test_an_empty_stack_has_a_picture() -> None:
    empty = ResourceGraph("demo", "prod", (STACK,))
    ET.fromstring(to_svg(empty))
    assert to_mermaid(empty) == "flowchart TB\n"


@pytest.mark.parametrize("seed", range(20))
def test_nothing_overlaps_and_every_arrow_leads_down(seed: int) -> None:
    random = Random(seed)
    names = [f"n{i}" for i in range(random.randint(2, 25))]
    sizes = {name: Size(random.randint(50, 260), random.randint(20, 300)) for name in names}
    edges = sorted(
        {
            (names[a], names[b])
            for a, b in (
                sorted((random.randrange(len(names)), random.randrange(len(names))))
                for _ in range(len(names) * 2)
            )
            if a != b
        }
    )
    drawing = draw(sizes, edges)
    placed = list(drawing.nodes.items())
    for index, (name, one) in enumerate(placed):
        assert one.x >= -0.01
        assert one.x + one.width <= drawing.width + 0.01
        assert one.y + one.height <= drawing.height + 0.01
        for other_name, other in placed[index + 1 :]:
            apart = (
                one.x + one.width <= other.x
                or other.x + other.width <= one.x
                or one.y + one.height <= other.y
                or other.y + other.height <= one.y
            )
            assert apart, (name, other_name)
    for route in drawing.routes:
        heights = [y for _, y in route.points]
        assert heights == sorted(heights)
        # The straight parts run beside boxes, never through one.
        for (x, y), (to_x, to_y) in zip(route.points, route.points[1:], strict=False):
            if x != to_x:
                continue
            for name, box in placed:
                if name in (route.source, route.target):
                    continue
                through = box.x < x < box.x + box.width and max(y, box.y) < min(
                    to_y, box.y + box.height
                )
                assert not through, (route.source, route.target, name)


def test_resources_know_the_blueprint_path_of_their_component(graph: ResourceGraph) -> None:
    found = blueprint_paths(graph, {"data": "datasets", "api": "serving.api"})
    assert found["r:data-in"] == "datasets"
    assert found["c:api"] == "serving.api"
    assert "r:x" not in found
    assert "r:keys-key" not in found


def test_the_page_lists_every_resource_with_what_it_uses(graph: ResourceGraph) -> None:
    page = to_html(graph)
    assert page.count("<tr><td>") == 6
    assert "<code>sagemaker.Endpoint/api-&lt;b&gt;&amp;&quot;</code>" in page
    assert "<td><code>kms.Key/keys-key</code><br><code>s3.Bucket/data-out</code></td>" in page
    assert "http" not in page.replace('xmlns="http://www.w3.org/2000/svg"', "")
