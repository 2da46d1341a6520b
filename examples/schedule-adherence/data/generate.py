"""Makes schedule_management.csv: one progress report of each of 3,600 construction projects.

    python generate.py [--rows 3600] [--seed 7] [--out schedule_management.csv]

Invented, but with the relations one finds on sites: a project slips when it lags behind its plan,
when permits, material and weather cost days, when changes pile up, when crews are thin for the
volume of work. Some fields are missing, as they are in reports. Chance decides the rest, so that
about 15 in 100 outcomes cannot be foreseen.
"""

import argparse
import csv
from datetime import date, timedelta
from pathlib import Path

import numpy as np

REGIONS = {"north": 0.15, "south": -0.10, "east": 0.0, "west": 0.05, "coast": -0.30}
TYPES = {  # typical value in thousand euros, typical days, how much harder than the average
    "residential": (2_500, 300, 0.3),
    "commercial": (7_000, 420, 0.0),
    "industrial": (12_000, 480, -0.1),
    "infrastructure": (20_000, 650, -0.5),
    "renovation": (900, 160, 0.2),
}
FIELDS = [
    "project_id", "region", "project_type", "contract_value_keur", "planned_start", "actual_start",
    "planned_end", "planned_duration_days", "reported_at", "progress", "crew_size",
    "subcontractors", "weather_delay_days", "material_delay_days", "permits_pending",
    "change_orders", "safety_incidents", "failed_inspections", "schedule_adherence",
]  # fmt: skip
MISSING = {"crew_size": 0.04, "weather_delay_days": 0.03, "subcontractors": 0.02, "progress": 0.01}


def report(number: int, rng: np.random.Generator) -> dict[str, object]:
    region = str(rng.choice(list(REGIONS)))
    kind = str(rng.choice(list(TYPES), p=[0.34, 0.22, 0.12, 0.12, 0.20]))
    typical_value, typical_days, difficulty = TYPES[kind]
    value = typical_value * rng.lognormal(0, 0.45)
    duration = int(typical_days * rng.lognormal(0, 0.25))
    planned_start = date(2021, 1, 1) + timedelta(days=int(rng.integers(0, 1500)))
    late_start = int(rng.gamma(1.2, 6.0))
    elapsed = rng.uniform(0.25, 0.85)  # share of the planned time that has passed
    reported = planned_start + timedelta(days=int(duration * elapsed))

    crew = max(3, round(value / duration * rng.lognormal(0.3, 0.3)))
    subcontractors = int(rng.poisson(2 + value / 4_000))
    weather = int(rng.gamma(1.5, 3 + 4 * (region == "coast")) * elapsed)
    material = int(rng.gamma(1.1, 7.0) * elapsed)
    permits = int(rng.poisson(0.5 if kind != "infrastructure" else 1.1))
    changes = int(rng.poisson(1.5 + 2.5 * elapsed))
    incidents = int(rng.poisson(0.3 + crew / 80))
    inspections = int(rng.poisson(0.6))

    lost = (late_start + weather + material + 9 * permits + 3 * changes) / duration
    lag = 0.55 * lost + rng.normal(0, 0.05)
    progress = float(np.clip(elapsed - lag, 0.01, 0.99))

    thin = value / duration / crew - 0.75
    score = (
        1.6 + difficulty + REGIONS[region]
        - 13.0 * (elapsed - progress) - 6.0 * max(lost - 0.12, 0.0) - 2.2 * thin
        - 0.45 * permits - 0.18 * changes - 0.5 * inspections - 0.05 * subcontractors
        - 2.0 * (elapsed - 0.5) * (lost > 0.15)
    )  # fmt: skip
    # Sharp enough that most outcomes follow from the report, and chance keeps its part.
    kept = rng.random() < 1 / (1 + np.exp(-2.2 * (score + 1.05)))
    row = {
        "project_id": f"P{number:05}",
        "region": region,
        "project_type": kind,
        "contract_value_keur": round(value),
        "planned_start": planned_start,
        "actual_start": planned_start + timedelta(days=late_start),
        "planned_end": planned_start + timedelta(days=duration),
        "planned_duration_days": duration,
        "reported_at": reported,
        "progress": round(progress, 3),
        "crew_size": crew,
        "subcontractors": subcontractors,
        "weather_delay_days": weather,
        "material_delay_days": material,
        "permits_pending": permits,
        "change_orders": changes,
        "safety_incidents": incidents,
        "failed_inspections": inspections,
        "schedule_adherence": int(kept),
    }
    return row | {field: "" for field, share in MISSING.items() if rng.random() < share}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=3600)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).with_name("schedule_management.csv")
    )
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    rows = [report(number, rng) for number in range(1, options.rows + 1)]
    rows.sort(key=lambda row: (row["reported_at"], row["project_id"]))
    with options.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
