"""What the models see of a project: used when preparing and when predicting, so both agree."""

import numpy as np
import pandas as pd

TARGET = "schedule_adherence"
DATES = ["planned_start", "actual_start", "planned_end", "reported_at"]
CATEGORIES = ["region", "project_type"]
COUNTS = [
    "contract_value_keur",
    "planned_duration_days",
    "progress",
    "crew_size",
    "subcontractors",
    "weather_delay_days",
    "material_delay_days",
    "permits_pending",
    "change_orders",
    "safety_incidents",
    "failed_inspections",
]
DERIVED = ["elapsed", "lag", "start_delay_days", "lost_share", "value_per_crew_day"]
NUMBERS = COUNTS + DERIVED


DAY = np.timedelta64(1, "D")


def features(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per project: numbers, derived numbers, categories. Missing fields stay missing.

    Reckons with arrays, and reads all columns of a kind at once: for the one row of a prediction, a
    pandas column costs more than its value.
    """
    rows = rows.reindex(columns=[*CATEGORIES, *COUNTS, *DATES])
    cells = rows[COUNTS].to_numpy(object).T
    numbers = pd.to_numeric(cells.ravel(), errors="coerce").astype(float).reshape(cells.shape)
    table = dict(zip(COUNTS, numbers, strict=True))
    cells = rows[DATES].to_numpy(object).T
    parsed = pd.to_datetime(cells.ravel(), errors="coerce", format="ISO8601")
    dates = dict(zip(DATES, parsed.to_numpy().reshape(cells.shape), strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        duration = np.maximum(table["planned_duration_days"], 1)
        elapsed = np.floor((dates["reported_at"] - dates["planned_start"]) / DAY)
        table["elapsed"] = elapsed / duration
        table["lag"] = table["elapsed"] - table["progress"]
        late = np.floor((dates["actual_start"] - dates["planned_start"]) / DAY)
        table["start_delay_days"] = late
        lost = table["weather_delay_days"] + table["material_delay_days"] + late
        table["lost_share"] = lost / duration
        worth = table["contract_value_keur"] / duration / table["crew_size"]
        table["value_per_crew_day"] = worth
    table |= {name: rows[name].to_numpy(object) for name in CATEGORIES}
    return pd.DataFrame(table, index=rows.index)
