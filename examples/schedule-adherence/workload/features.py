"""What the models see of a project: used when preparing and when predicting, so both agree."""

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


def features(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per project: numbers, derived numbers, categories. Missing fields stay missing."""
    rows = rows.reindex(columns=[*CATEGORIES, *COUNTS, *DATES])
    dates = {name: pd.to_datetime(rows[name], errors="coerce") for name in DATES}
    table = rows[COUNTS].apply(pd.to_numeric, errors="coerce").astype(float)
    duration = table["planned_duration_days"].clip(lower=1)
    table["elapsed"] = (dates["reported_at"] - dates["planned_start"]).dt.days / duration
    table["lag"] = table["elapsed"] - table["progress"]
    table["start_delay_days"] = (dates["actual_start"] - dates["planned_start"]).dt.days
    lost = table["weather_delay_days"] + table["material_delay_days"] + table["start_delay_days"]
    table["lost_share"] = lost / duration
    table["value_per_crew_day"] = table["contract_value_keur"] / duration / table["crew_size"]
    table[CATEGORIES] = rows[CATEGORIES].astype(object)
    return table
