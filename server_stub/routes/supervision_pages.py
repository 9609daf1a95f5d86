"""All pages of supervision as one room: a class's file, cases, inspections, figures, privacy."""

from __future__ import annotations

from fastapi import APIRouter

from server_stub.routes import (
    case_pages,
    class_pages,
    figure_pages,
    handed_pages,
    inspection_pages,
    practice_pages,
    privacy_pages,
    provider_pages,
    subsidy_pages,
    survey_pages,
)

router = APIRouter()
for _room in (class_pages, case_pages, inspection_pages, figure_pages, privacy_pages, subsidy_pages, survey_pages,
              practice_pages, provider_pages, handed_pages):  # fmt: skip
    router.include_router(_room.router)
router.include_router(survey_pages.mine)
