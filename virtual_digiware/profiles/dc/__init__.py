"""Direct current: boards behind rectifiers and batteries, photovoltaic strings, their loads and energies."""
