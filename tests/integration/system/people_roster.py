"""Who works for the police of these tests."""
import csv

ROSTER = {
    "anna": ("a.meyer@polizei.example", "Meyer, Anna", "PHK", "Celle"),
    "bernd": ("b.meyer@polizei.example", "Meyer, Bernd", "POK", "Gifhorn"),
    "clara": ("c.schulz@polizei.example", "Schulz, Clara", "PK", "Celle"),
}


def write_roster(path, rows) -> None:
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("address", "name", "rank", "unit"))
        out.writerows(rows)
