"""Steps that workflows are made of; each module one subject, each function works on a batch of runs."""
