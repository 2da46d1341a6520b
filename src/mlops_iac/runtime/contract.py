"""The names that a pipeline definition, the step that runs and the server agree on.

Folders lie where training services mount them by themselves, or are asked to; each platform says
beside its definition which it does.
"""

from __future__ import annotations

ROOT = "/opt/ml"
ENTRY = "mlops_step.py"  # what a job starts, at the top of the code archive
SERVING = "inference.py"  # what the prebuilt inference containers import
PREDICT = "predict.py"  # the workload's own, of the code archive
FUNCTIONS = ("load", "predict")  # what it has
HANDLERS = ("input_fn", "model_fn", "output_fn", "predict_fn")  # what they find in it
PACKAGE = "mlops_runtime"  # this package's name inside the code archive

CODE_FILE = "sourcedir.tar.gz"  # the last part of the code archive's key
VERSIONS_FILE = "mlops_versions.json"  # beside it, with a model: what it was trained with
CODE_CHANNEL = "_code"  # no dataset can be called so
PREPARED = "prepared"
MODEL_FILE = "model.tar.gz"
METRICS_FILE = "metrics.json"
REPORT_FILE = "report.json"
PAGE_FILE = "report.html"  # beside it: the page of the run, as far as an evaluation knows it
PREDICTIONS_FILE = "predictions.jsonl"  # what an evaluation may leave of the rows that it judged
DATA_FILE = ".mlops_data.json"  # what `prepare` read, among what it has prepared
CARD_FILE = "mlops_card.md"  # the model card, of the code archive
EXAMPLES_FILE = "examples.json"  # what a version answered to a few rows before it was registered
EXAMPLE_ROWS = "examples.jsonl"  # rows of the workload's own choice for that, one a line
# Of a batch prediction: `{"rows", "columns"}` of what was checked, and of what was written.
ROWS_FILE = "rows.json"
PREDICTION = "prediction"  # the column that a run adds
SETTINGS_FILE = "settings.json"  # of a run of the monitoring: its window and variants
MONITOR_FILE, MONITOR_PAGE = "monitor.json", "monitor.html"  # what it found
SUCCESS_FILE = "_SUCCESS"  # `runtime.publishing` writes it last, with what the run was

# Below ROOT.
CODE = "code"
PROCESSING_CODE = "processing/input/code"
PROCESSING_DATA = "processing/input/data"
PROCESSING_MODEL = "processing/input/model"
PROCESSING_CURRENT = "processing/input/current"
PROCESSING_PREPARED = "processing/output/prepared"
PROCESSING_REPORT = "processing/output/report"
PROCESSING_ROWS = "processing/output/rows"
PROCESSING_CHECKED = "processing/input/checked"
PROCESSING_PREDICTED = "processing/input/predicted"
PROCESSING_OUTPUT = "processing/output/predictions"
PROCESSING_KNOWN = "processing/input/known"
PROCESSING_CAPTURES = "processing/input/captures"
CHANNELS = "input/data"
HYPERPARAMETERS = "input/config/hyperparameters.json"
MODEL = "model"
OUTPUT = "output/data"
CHECKPOINTS = "checkpoints"

# Settings of a step, in its environment. No environment of the user's may start with this.
PREFIX = "MLOPS_IAC_"
STEP = PREFIX + "STEP"  # prepare | train | evaluate | try | check | complete
SCRIPT = PREFIX + "SCRIPT"
DATASETS = PREFIX + "DATASETS"  # names, separated by commas; empty when the data are prepared
METRICS = PREFIX + "METRICS"
MODEL_NAME, RUN = PREFIX + "MODEL", PREFIX + "RUN"  # train, evaluate: of which model, in which run
KEEP_CHECKPOINTS = PREFIX + "CHECKPOINTS"
CHECK = PREFIX + "CHECK_"  # CHECK_00 …: {"dataset", "format", "field", "rules"}
WINDOW = PREFIX + "WINDOW_"  # {"dataset", "time", "days"}
TRACKING = PREFIX + "TRACKING"  # train, evaluate: the MLflow that keeps what they find
TRACKING_PLUGIN = TRACKING + "_PLUGIN"  # the package that its client needs to reach that, if any
GATE = PREFIX + "GATE_"  # {"metric", "bound", "value"}; the value may be IN_SERVICE
CURRENT = PREFIX + "CURRENT"  # evaluate: the name of the version in service, or NONE
FORMAT = PREFIX + "FORMAT"  # of what is read (try, check) or written (complete)
TARGET = PREFIX + "TARGET"  # try: the column that no caller sends
PARTS = PREFIX + "PARTS"  # check: files at least, where there are as many rows
ANSWER = PREFIX + "ANSWER"  # complete: the key under which answers were joined to their rows
BATCH = PREFIX + "BATCH"  # set where a server runs for one batch prediction and no longer
ERROR_PERCENT = PREFIX + "ERROR_PERCENT"  # complete: how many rows may lack a prediction
OUTCOMES = PREFIX + "OUTCOMES"  # monitor: {"dataset", "format", "key", "target"}
SENSITIVE = PREFIX + "SENSITIVE"  # monitor: columns over which fairness is measured
IGNORED = PREFIX + "IGNORED"  # monitor: columns that are new in each row: keys, times
# A limit that is what the version in service has; which that is, unless it is pinned; its name before
# the first.
IN_SERVICE, NEWEST, NONE = "current", "newest", "none"
# Where the folders lie; only the local runner sets it.
ROOT_SETTING = PREFIX + "ROOT"


# What the verdict on a step begins with, in its log; and what one says that gives no reason.
VERDICT = "mlops-iac error: "
ENDED = "ended with exit code"


def killed(signal: int) -> str:
    """Say how a process ended that did not end itself. Nine is what the kernel sends."""
    return f"was killed (signal {signal}){', often by too little memory' * (signal == 9)}"


def metric_regex(name: str) -> str:
    """What finds `name` in a step's log: tuning and the job's metrics read it."""
    escaped = "".join(char if char.isalnum() or char == "_" else "\\" + char for char in name)
    return f"mlops-iac metric {escaped}=([-+0-9.eE]+)"


def metric_line(name: str, value: float) -> str:
    """What a step prints so that `metric_regex` finds it."""
    return f"mlops-iac metric {name}={value!r}"
