"""Trainings on the Hugging Face Hub's machines."""
