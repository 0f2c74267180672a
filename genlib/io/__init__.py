"""Files as genlib writes and reads them: checked, whole or not at all, locked."""
