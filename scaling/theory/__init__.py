"""Derived predictions; paper_notes/ holds the derivations."""
