"""How what jobs are made of comes to this machine: uploaded by users, or fetched from where they keep it."""
