"""The loop: lists are made and logged, feedback settles them."""

from apps.recommendations.services.feedback import FeedbackRequest, Given, give_feedback
from apps.recommendations.services.recommending import recommend, recommend_page

__all__ = ["FeedbackRequest", "Given", "give_feedback", "recommend", "recommend_page"]
