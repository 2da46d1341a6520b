"""What a platform hands to the program writer: component calls with literal arguments.

A platform plans each environment on its own. The program writer then lays the plans of all
environments side by side: what is equal becomes a literal, a `Setting` that differs becomes
configuration under its blueprint path, a call that only some environments have stands behind a
flag, and what differs deeper is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from mlops_iac.errors import Diagnostic
from mlops_iac.records import Record
from mlops_iac.values import leaves

if TYPE_CHECKING:
    from mlops_iac.clouds.operations import Operations
    from mlops_iac.pipeline.backend import Backend
    from mlops_iac.pipeline.local_prediction import PredictionBackend
    from mlops_iac.pipeline.prediction import Prediction
    from mlops_iac.pipeline.steps import Lifecycle

    # What a pipeline does, and where it can be run on this machine.
    Runnable = tuple[Lifecycle, Backend] | tuple[Prediction, PredictionBackend]

# None | bool | int | float | str | list | dict of these, or one of the classes below.
ArgValue = Any


class Setting(Record):
    """A literal that comes from the blueprint and may differ between environments.

    `path` is the blueprint path it comes from and so the configuration key
    (`serving.api.scaling.max`); `value` a scalar, or a list or mapping of scalars.
    `optional` settings may be absent from the configuration (None then).
    """

    value: Any
    path: str
    optional: bool = False


class Ref(Record):
    """An attribute of an earlier call: `Ref("data", "artifacts.bucket")` → `data.artifacts.bucket`."""

    variable: str
    attribute: str = ""


class Definition(Record):
    """A definition file (pipeline JSON, dashboard …) written beside `__main__.py`.

    Named placeholders `${execution_role}` in it are filled by the component from outputs.
    In the program it is read as text: `definition("pipelines/adherence.json")`.
    When environments differ in it, each gets a file of its own under `<stem>.<environment>.json`
    unless `path` says otherwise; the program then picks by stack.
    """

    path: str
    content: str


class Archive(Record):
    """Code packed by the program writer into a deterministic .tar.gz beside `__main__.py`.

    `root` is an absolute directory of the user's; `extra` maps archive names to contents added to
    it (runtime entry points), and all there is where `root` is empty. In the program: `pulumi.FileAsset("code/adherence.tar.gz")`.
    """

    path: str
    root: str
    extra: Mapping[str, bytes] = {}


class UserFile(Record):
    """A file of the user's, uploaded in place: `pulumi.FileAsset("../../data/x.csv")`.

    `path` is absolute here; the writer prints it relative to the program.
    """

    path: str


class Construct(Record):
    """A nested typed argument: `Construct("mlops_iac.clouds.….components.serving:Variant", {…})`."""

    cls: str
    args: Mapping[str, ArgValue]


def within(value: ArgValue) -> Iterator[Any]:
    """What an argument is made of: literals and the classes above; a construct is looked into."""
    for leaf in leaves(value):
        if isinstance(leaf, Construct):
            yield from within(leaf.args)
        else:
            yield leaf


def setting_paths(value: ArgValue) -> Iterator[str]:
    """The blueprint paths of all settings inside."""
    return (leaf.path for leaf in within(value) if isinstance(leaf, Setting))


class ComponentCall(Record):
    """One line of the program: `variable = Component(name, ComponentArgs(**args))`.

    `component` is `module:Class`; its arguments class is `ClassArgs` in the same module.
    `path` is the blueprint path the call stands for (`serving.api`; `""` for the whole).
    `exports` maps stack output names to attributes of the component. `flag` is the configuration
    key that says whether an environment has the call, where not all do; made of `path` otherwise.
    """

    variable: str
    component: str
    name: str
    args: Mapping[str, ArgValue]
    path: str
    depends_on: Sequence[str] = ()
    exports: Mapping[str, str] = {}
    flag: str = ""
    # Names that the component had before: its resources are renamed, not made anew.
    aliases: Sequence[str] = ()


class Home(Record):
    """Where versions of a model are registered and approved; `group` is what the registry calls it."""

    environment: str
    account: str | None
    region: str
    group: str

    @property
    def address(self) -> str:
        """What the group is called from another place."""
        return self.group


class Condition(Record):
    """Something that an account must have before anything is deployed to it; `fix` is for one that is not `met`."""

    name: str
    met: bool
    found: str
    fix: str = ""


class Refusal(Record):
    """A field, and everything below it, that is refused unless its value is one of `unless`.

    In `pattern` `*` is one key of a mapping, and `**` at its end everything below.
    """

    pattern: str
    reason: str
    instead: str
    unless: tuple[Any, ...] = ()


class Before(Record):
    """Something in the cloud that no resource is, done before a pass: an upload, a wait.

    `words` say what (`waits until the new role answers`). `do` is given the way to the cloud, and
    the stack's outputs so far; it may be called again.
    """

    words: str
    do: Callable[[Any, Mapping[str, Any]], None]


class Pass(Record):
    """One of several runs of the program that make up one deployment.

    `name` is unique among them, `title` says in a few words what it does. `config` steers it: keys
    of the project's and their values, laid over the stack's. The last pass has none: it leaves what
    the stack's own configuration says, of which lock files and reviews are.
    """

    name: str
    title: str
    config: Mapping[str, Any] = {}
    before: Sequence[Before] = ()


class Mode(Protocol):
    """One way to serve on one platform: what the entries of `serving` with this mode become.

    A platform has a tuple of these, and everything that depends on how a stack serves is folded
    over it. `scope` is one environment as the platform sees it. A platform asks its own modes for
    more.
    """

    @property
    def name(self) -> str:
        """As the language has it: `real-time`."""

    @property
    def planned(self) -> Sequence[str]:
        """Patterns of the leaves that are planned, from the blueprint's root (`serving.*.model`).

        Those below `serving` are of this mode's entries alone.
        """

    @property
    def refused(self) -> Sequence[Refusal]:
        """What is refused, likewise."""

    @property
    def check(self) -> Callable[[Any], Iterable[Diagnostic]]:
        """What cannot be planned of a scope: values that do not fit together, or to the platform."""

    @property
    def plan(self) -> Callable[[Any], Iterable[ComponentCall]]:
        """The calls of a scope, each after what it refers to."""


class Platform(Protocol):
    """One platform. Implemented by a module-level object per platform, found by name.

    `resolved` is `mlops_iac.blueprint.ResolvedBlueprint`.
    """

    name: str
    cloud: str  # its name
    regions: Sequence[str]

    @property
    def modes(self) -> Sequence[Mode]:
        """The ways to serve that it plans."""

    def refuses(self, path: str, value: Any) -> str | None:
        """Why the field at a blueprint path is refused with this value; None where it is planned."""

    def check(self, resolved: Any) -> list[Diagnostic]:
        """What this platform cannot do of the blueprint, naming what would work."""

    def plan(self, resolved: Any) -> list[ComponentCall]:
        """The component calls of one environment, in dependency order."""

    def guide(
        self, environments: Mapping[str, Any], plans: Mapping[str, Sequence[ComponentCall]]
    ) -> str:
        """Markdown for the program's README: settings, who needs which rights, what is by hand.

        `environments` are the resolved blueprints by name, `plans` their component calls.
        """

    def provider_config(self, resolved: Any) -> Mapping[str, Any]:
        """Provider configuration of one environment, e.g. `{"package:region": "…"}`."""

    def passes(self, resolved: Any, outputs: Callable[[], Mapping[str, Any]]) -> Sequence[Pass]:
        """The runs of the program that a deployment takes, in order; empty where it takes one.

        `outputs` asks for those of the stack as it is; it has none at first. A pass that changes
        nothing is left out, so each must keep what those before it made. All but the last are given
        their name as the setting `pass`; a call exports it as the output `pass`, which tells a
        later deployment where an earlier one ended. Outputs that say what stands must wait for the
        resources that make it so: what is known at once is in the state before anything is done.
        """

    def home(self, resolved: Any, model: str) -> Home:
        """Where versions of a model are approved: at the end of the chain of `promote_from`."""

    def marks(self, resolved: Any) -> str:
        """By what everything of one stack can be told from the rest, in words."""

    def conditions(self, resolved: Any, session: Any) -> Iterable[Condition]:
        """What the account of an environment must have that no deployment makes; asks the cloud.

        Raises what the cloud's SDK raises.
        """

    @property
    def operations(self) -> Operations:
        """What it is asked once something stands."""

    def lifecycles(self, resolved: Any) -> Mapping[str, Any]:
        """What the definition of each trained model's lifecycle, and each batch entry's, is printed of.

        It is kept with a deployment, for `deployed`.
        """

    def deployed(self, kept: Any, definition: str, session: Any) -> Runnable | None:
        """What a deployed `definition` does, and where it can be run on this machine.

        None unless the definition is printed of `kept`, an entry of `lifecycles`. `session` is the
        way to the emulated cloud.
        """
