"""Models and the studio on the Hugging Face Hub."""
