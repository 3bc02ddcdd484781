"""What Home Assistant gets."""
