"""What a viewer did lately, as rows that join the query of their history.

The columns are those of ``ratings.querysets.HISTORY_SQL``, so that one UNION reads all that a slate
needs to know.
"""

CLICK = "click"
SLATE = "slate"

# The viewer's last 10 clicks, and the times of the unit's last 3 counted slates.
ACTIVITY_SQL = """
SELECT 'click', movie_id, NULL, occurred_at FROM (
  SELECT movie_id, occurred_at FROM feedback WHERE user_id = %(user)s AND kind IN ('click', 'view')
  ORDER BY occurred_at DESC LIMIT 10
) AS clicks
UNION ALL SELECT 'slate', 0, NULL, created_at FROM (
  SELECT created_at FROM slates WHERE unit_key = %(unit)s AND counted
  ORDER BY created_at DESC LIMIT 3
) AS shown
"""
