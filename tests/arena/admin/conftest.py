"""Who looks at the admin in tests of it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission


@pytest.fixture
def admin_user(db, django_user_model):
    """In place of pytest-django's, whose password takes a second to hash."""
    return django_user_model.objects.create_superuser("admin")


@pytest.fixture
def staff(client, django_user_model):
    """The client of somebody on the staff with the named permissions, `app.codename` each."""

    def login(*permissions):
        user = django_user_model.objects.create_user("staff", is_staff=True)
        for name in permissions:
            app, codename = name.split(".")
            user.user_permissions.add(
                Permission.objects.get(content_type__app_label=app, codename=codename)
            )
        client.force_login(user)
        return client

    return login
