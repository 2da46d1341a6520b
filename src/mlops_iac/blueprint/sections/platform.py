"""Sections about the stack as a whole: state, delivery, security, alerts, secrets, budget."""

from typing import Annotated, ClassVar, Literal

from mlops_iac.blueprint.sections.base import EntryName, Field, Json, Section, Text
from mlops_iac.blueprint.sections.values import Identifier, Prose, SecretName


class TemplateUse(Section):
    """A template that this blueprint builds on."""

    template: str = Field(description="Where it is, e.g. `git+https://…`.")
    version: str | None = Field(default=None, description="Which versions fit, e.g. `^2.1`.")
    parameters: dict[str, Json] = Field(default_factory=dict, description="Its parameters.")


class State(Section):
    """Where Pulumi keeps what it knows of a stack."""

    backend: str | None = Field(
        default=None, description="A Pulumi backend URL, e.g. `s3://bucket`."
    )
    secrets_provider: str | None = Field(
        default=None, description="What encrypts secrets in it, e.g. `awskms://alias/x`."
    )


class Delivery(Section):
    """What deploys the stack when the repository changes or a version is approved."""

    service: Literal["native", "github", "gitlab", "azure-devops"] = Field(
        default="native", description="Who runs it; `native` is the platform's own."
    )
    repository: str = Field(description="The repository, e.g. `github.com/acme/adherence`.")
    branch: str = Field(default="main", description="The branch that is deployed.")


class Access(Section):
    """Who may do what."""

    approvers: tuple[Identifier, ...] = Field(
        default=(), description="Identities that may approve versions; never the deployer."
    )


class Identity(Section):
    """An OpenID Connect issuer, for platforms that have no identity of their own."""

    issuer: str = Field(description="URL of the issuer.")
    client: str = Field(description="Client id.")
    secret: SecretName = Field(description="Name of the secret that holds the client secret.")


class Security(Section):
    """How closed the stack is. TLS, encryption and authentication are always on."""

    network: Literal["public", "private"] = Field(
        default="public",
        description="`public` is reachable, never open; `private` only from the network.",
    )
    egress: Literal["all", "none"] = Field(
        default="all", description="What jobs and endpoints may reach."
    )
    keys: Literal["provider", "customer"] = Field(
        default="provider", description="Whose encryption keys: the cloud's, or a key of the stack."
    )
    audit_log: bool = Field(default=False, description="Keep a log of every access.")
    access: Access = Field(default_factory=Access, description="Who may do what.")
    identity: Identity | None = Field(
        default=None,
        description="Who authenticates callers, where the platform has no own identity.",
    )


class Webhook(Section):
    """A URL that alerts are posted to."""

    secret: SecretName = Field(description="Name of the secret that holds the URL.")


class Alert(Section):
    """Somebody to tell."""

    ALTERNATIVES: ClassVar = (("email", "webhook"),)
    ONE_OF: ClassVar = (("email", "webhook"),)

    email: Annotated[str, Text("email")] | None = Field(
        default=None, description="An e-mail address."
    )
    webhook: Webhook | None = Field(default=None, description="A URL, kept in a secret.")


class SecretEntry(Section):
    """A secret: made empty for `secret set`, or an existing one."""

    existing: Identifier | None = Field(
        default=None, description="Id of an existing secret: used, never changed."
    )


class Budget(Section):
    """What a month may cost, per environment."""

    monthly_usd: float = Field(gt=0, description="US dollars per month.")
    alert_percent: tuple[Annotated[float, Field(gt=0, le=1000)], ...] = Field(
        default=(80, 100), min_length=1, description="Alerts at these shares of it."
    )


class Roles(Section):
    """Existing identities, by what they do."""

    prepare: Identifier | None = Field(default=None, description="Of the prepare step.")
    train: Identifier | None = Field(default=None, description="Of the train step and of tuning.")
    evaluate: Identifier | None = Field(default=None, description="Of the evaluate step.")
    seal: Identifier | None = Field(
        default=None, description="Of what copies trained models to where no step writes."
    )
    serve: Identifier | None = Field(default=None, description="Of everything that serves.")
    pipeline: Identifier | None = Field(default=None, description="Of the pipeline itself.")


class Existing(Section):
    """What is there already: used, never changed. Ids are the platform's own or `stack://…`."""

    network: Identifier | None = Field(default=None, description="Virtual network.")
    subnets: tuple[Identifier, ...] = Field(default=(), description="Its subnets.")
    security_groups: tuple[Identifier, ...] = Field(default=(), description="Its security groups.")
    key: Identifier | None = Field(default=None, description="Encryption key.")
    storage: Identifier | None = Field(default=None, description="Bucket or storage account.")
    image_registry: Identifier | None = Field(default=None, description="Container image registry.")
    tracking: Identifier | None = Field(default=None, description="Experiment tracking server.")
    workspace: Identifier | None = Field(default=None, description="Machine learning workspace.")
    cluster: Identifier | None = Field(default=None, description="Kubernetes cluster.")
    orchestrator: Identifier | None = Field(default=None, description="Workflow orchestrator.")
    model_registry: Identifier | None = Field(default=None, description="Model registry.")
    domain: Identifier | None = Field(default=None, description="Domain name or zone.")
    certificate: Identifier | None = Field(default=None, description="TLS certificate.")
    code_connection: Identifier | None = Field(
        default=None, description="Connection to the code host."
    )
    roles: Roles = Field(default_factory=Roles, description="Identities, by what they do.")


class PolicyException(Section):
    """Suppresses one policy at one place, for a time."""

    at: str = Field(
        description="The blueprint path it is for, with all below; an address that `graph` prints;"
        " or `.`, the whole stack."
    )
    reason: Prose = Field(min_length=1, description="Why.")
    until: Annotated[str, Text("date")] = Field(description="Last day it holds, `YYYY-MM-DD`.")


Overrides = dict[str, dict[str, Json]]
SecretKey = Annotated[str, EntryName("secret")]
