from django.db import migrations

ROLES = ("Technician", "Service advisor", "Manager")


def remember_present_permissions(apps, schema_editor):
    """Take every permission that there is as granted to the groups that there are.

    What a shop has taken away from them by now must not come back. The permissions of
    this release do not exist yet: Django makes them after the migrations.
    """
    using = schema_editor.connection.alias
    group = apps.get_model("auth", "Group").objects.using(using)
    permission = apps.get_model("auth", "Permission").objects.using(using)
    granted = apps.get_model("accounts", "GrantedPermission")
    permissions = list(permission.values_list("pk", flat=True))
    for pk in group.filter(name__in=ROLES).values_list("pk", flat=True):
        granted.objects.using(using).bulk_create(
            (granted(group_id=pk, permission_id=one) for one in permissions),
            ignore_conflicts=True,
        )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_granted_permissions"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.RunPython(remember_present_permissions, migrations.RunPython.noop),
    ]
