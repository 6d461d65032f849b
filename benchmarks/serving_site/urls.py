from django.urls import path

from benchmarks.serving_site.bare import BareView
from recommender_site.urls import urlpatterns as site

urlpatterns = [path("bare", BareView.as_view()), *site]
