"""The columns of the data set."""

DATASET = "deliveries"
TARGET = "late"
NUMBERS = ["distance_km", "stops", "rain_mm", "departure_hour"]
CATEGORIES = ["vehicle"]
