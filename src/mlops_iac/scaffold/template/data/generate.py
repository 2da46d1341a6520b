"""Makes deliveries.csv: 800 invented deliveries, the same each time."""

import csv
import math
import random
from pathlib import Path

FIELDS = ["vehicle", "distance_km", "stops", "rain_mm", "departure_hour", "late"]


def delivery(chance: random.Random) -> dict[str, object]:
    vehicle = chance.choice(["van", "truck", "bike"])
    distance = round(chance.uniform(1, 12) if vehicle == "bike" else chance.uniform(2, 80), 1)
    stops = chance.randint(1, 20)
    rain = round(max(0.0, chance.gauss(0, 4)), 1)
    hour = chance.randint(6, 19)
    rush = hour in (7, 8, 16, 17)
    score = 0.05 * distance + 0.16 * stops + 0.3 * rain + 1.4 * rush + 0.8 * (vehicle == "bike") - 4
    late = chance.random() < 1 / (1 + math.exp(-2 * score))
    return dict(zip(FIELDS, [vehicle, distance, stops, rain, hour, int(late)], strict=True))


def main() -> None:
    chance = random.Random(7)
    with Path(__file__).with_name("deliveries.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(delivery(chance) for _ in range(800))


if __name__ == "__main__":
    main()
