"""The dashboard on AWS: its machine, who may reach it, what it may do; and that a bundle is a version."""

import json
from collections import defaultdict
from dataclasses import fields
from typing import Any

import pytest
from pulumi.runtime.mocks import MockCallArgs
from test_stack import CONFIG, Recorder, run
from test_stack_dynamodb import Answered

from dashboard import bundle
from dashboard.settings import Settings as DashboardSettings
from infra import package
from infra.settings import MAX_STACK, ConfigurationError
from local.stack.program import run_program

LAUNCH = "aws:autoscaling:launchconfiguration"
VARIABLES = "aws:elasticbeanstalk:application:environment"


class Asked(Recorder):
    """And what the program asked of the account."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[str, dict[str, Any]] = {}

    def call(self, args: MockCallArgs) -> Any:
        self.asked[args.token.rpartition(":")[2]] = dict(args.args)
        return super().call(args)


@pytest.fixture(scope="module")
def stack() -> Asked:
    asked = Asked()
    asked.outputs = run_program(asked, "test", CONFIG)
    return asked


@pytest.fixture(scope="module")
def machine(stack: Asked) -> dict[str, dict[str, str]]:
    """Its settings by their namespaces."""
    return settings_of(stack)


def settings_of(stack: Recorder) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for one in stack.one("elasticbeanstalk/environment:Environment")["settings"]:
        assert one["name"] not in found[one["namespace"]]
        found[one["namespace"]][one["name"]] = one["value"]
    return dict(found)


def test_it_is_one_small_arm_machine_with_the_newest_python_3_13_of_amazon_linux_2023(stack, machine):
    assert machine["aws:elasticbeanstalk:environment"]["EnvironmentType"] == "SingleInstance"
    assert machine["aws:ec2:instances"] == {"InstanceTypes": "t4g.micro", "SupportedArchitectures": "arm64"}
    pattern = r"^64bit Amazon Linux 2023 v4\..* running Python 3\.13$"
    assert stack.asked["getSolutionStack"] == {"mostRecent": True, "nameRegex": pattern}
    environment = stack.one("elasticbeanstalk/environment:Environment")
    assert environment["solutionStackName"] == "64bit Amazon Linux 2023 v4.7.4 running Python 3.13"


def test_it_starts_in_accounts_that_have_launch_templates_only(machine):
    assert machine[LAUNCH]["DisableIMDSv1"] == "true"
    assert machine[LAUNCH]["RootVolumeType"] == "gp3"


def test_its_health_is_enhanced_its_log_is_streamed_and_kept_as_long_as_the_functions(stack, machine):
    assert machine["aws:elasticbeanstalk:healthreporting:system"] == {"SystemType": "enhanced"}
    days = stack.one("cloudwatch/logGroup:LogGroup", "fetcher")["retentionInDays"]
    assert machine["aws:elasticbeanstalk:cloudwatch:logs"] == {
        "StreamLogs": "true",
        "DeleteOnTerminate": "false",
        "RetentionInDays": str(days),
    }
    unprotected = settings_of(run(**CONFIG, protect="false"))
    assert unprotected["aws:elasticbeanstalk:cloudwatch:logs"]["DeleteOnTerminate"] == "true"


def test_its_system_is_kept_up_to_date(machine):
    assert machine["aws:elasticbeanstalk:managedactions"]["ManagedActionsEnabled"] == "true"
    assert machine["aws:elasticbeanstalk:managedactions:platformupdate"] == {"UpdateLevel": "minor"}


@pytest.mark.parametrize("store", ["timestream", "dynamodb"])
def test_its_variables_are_exactly_what_it_reads_and_none_is_empty(store):
    told = settings_of(run(**CONFIG, store=store))[VARIABLES]
    names = {f"DAYBOOK_{field.name.upper()}" for field in fields(DashboardSettings)}
    assert told.keys() == names | {"AWS_DEFAULT_REGION"}
    read = DashboardSettings.read(told)
    assert (read.store, read.ledger_table, read.bundle) == (store, "daybook-test-ledger", bundle.digest())
    assert all(told.values()), "Elastic Beanstalk takes no empty value"
    assert sum(len(name) + len(value) for name, value in told.items()) < 4_096  # Beanstalk's limit


def test_every_setting_is_a_text(machine):
    assert [
        value for found in machine.values() for value in found.values() if not isinstance(value, str)
    ] == []


def test_its_version_is_its_bundle(stack):
    version = stack.one("elasticbeanstalk/applicationVersion:ApplicationVersion")
    uploaded = stack.one("s3/bucketObjectv2:BucketObjectv2")
    assert uploaded["source"].path == str(package.dashboard())
    assert (version["bucket"], version["key"]) == (uploaded["bucket"], uploaded["key"])
    assert uploaded["bucket"] == "daybook-test-bundles-123456789012"
    assert bundle.digest() in uploaded["key"]
    assert version["name"] == f"daybook-test-{bundle.digest()}"
    assert stack.one("elasticbeanstalk/environment:Environment")["version"] == version["name"]


def test_nobody_but_cloudfront_reaches_the_machine(stack, machine):
    group = stack.one("ec2/securityGroup:SecurityGroup")
    assert "ingress" not in group
    assert machine[LAUNCH]["SecurityGroups"] == "dashboard"  # the id of that group, and no other
    assert machine[LAUNCH]["DisableDefaultEC2SecurityGroup"] == "true"
    assert "EC2KeyName" not in machine[LAUNCH]
    (rule,) = stack.all("vpc/securityGroupIngressRule:SecurityGroupIngressRule").values()
    assert stack.asked["getManagedPrefixList"] == {"name": "com.amazonaws.global.cloudfront.origin-facing"}
    assert rule["prefixListId"] == "pl-0123456789abcdef0"
    assert (rule["fromPort"], rule["toPort"], rule["ipProtocol"]) == (80, 80, "tcp")
    assert not rule.keys() & {"cidrIpv4", "cidrIpv6", "referencedSecurityGroupId"}


def test_readers_come_by_https_only_and_everything_the_page_asks_passes(stack):
    front = stack.one("cloudfront/distribution:Distribution")
    (origin,) = front["origins"]
    assert origin["domainName"] == "dashboard.beanstalk.test"
    assert origin["customOriginConfig"]["httpPort"] == 80
    assert front["viewerCertificate"] == {"cloudfrontDefaultCertificate": True}
    behaviour = front["defaultCacheBehavior"]
    assert behaviour["viewerProtocolPolicy"] == "redirect-to-https"
    assert "POST" in behaviour["allowedMethods"]  # Dash's callbacks
    assert stack.outputs["dashboard_url"] == "https://dashboard.cloudfront.test/"


def test_cloudfront_adds_no_header_that_forbids_the_frame_of_embed(stack):
    front = stack.one("cloudfront/distribution:Distribution")
    policy = stack.one("cloudfront/responseHeadersPolicy:ResponseHeadersPolicy")
    assert front["defaultCacheBehavior"]["responseHeadersPolicyId"] == "dashboard"  # the id of that policy
    assert policy["securityHeadersConfig"] == {
        "strictTransportSecurity": {"accessControlMaxAgeSec": 31_536_000, "override": True}
    }
    assert not policy.keys() - {"name", "securityHeadersConfig"}


def test_without_a_front_everybody_reaches_the_machine_by_plain_http():
    stack = run(**CONFIG, front="none")
    assert stack.all("cloudfront/distribution:Distribution") == {}
    (rule,) = stack.all("vpc/securityGroupIngressRule:SecurityGroupIngressRule").values()
    assert (rule["cidrIpv4"], rule["fromPort"], rule["toPort"]) == ("0.0.0.0/0", 80, 80)
    assert stack.outputs["dashboard_url"] == "http://dashboard.beanstalk.test/"


def test_without_a_dashboard_nothing_of_it_is_made():
    stack = run(**CONFIG, dashboard="none")
    kinds = {kind for kind, _, _ in stack.resources}
    assert not any("elasticbeanstalk" in kind or "ec2/" in kind or "cloudfront" in kind for kind in kinds)
    assert "bundles" not in stack.all("s3/bucket:Bucket")
    assert (stack.outputs["dashboard_url"], stack.outputs["dashboard_instance"]) == ("", "")


def test_it_may_read_the_tables_and_the_ledger_and_do_what_beanstalk_s_agents_do_and_nothing_else(stack):
    tables = [stack.arn("timestreamwrite/table:Table", name) for name in ("daily", "revisions")]
    ledger = [stack.arn("dynamodb/table:Table", "ledger")]
    logs = ["arn:aws:logs:us-east-1:123456789012:log-group:/aws/elasticbeanstalk/daybook-test/*"]
    health = "arn:aws:elasticbeanstalk:us-east-1:123456789012"
    assert stack.rights("dashboard") == {
        "timestream:Select": tables,
        "timestream:DescribeEndpoints": ["*"],
        "dynamodb:GetItem": ledger,
        "dynamodb:Query": ledger,
        "dynamodb:BatchGetItem": ledger,
        "s3:GetObject": [
            stack.arn("s3/bucket:Bucket", "bundles") + "/*",
            "arn:aws:s3:::elasticbeanstalk-us-east-1-123456789012/resources/environments/*",
        ],
        "logs:CreateLogStream": logs,
        "logs:DescribeLogStreams": logs,
        "logs:PutLogEvents": logs,
        "elasticbeanstalk:PutInstanceStatistics": [
            f"{health}:application/daybook-test",
            f"{health}:environment/daybook-test/daybook-test",
        ],
    }
    assert stack.one("iam/instanceProfile:InstanceProfile")["role"] == "daybook-test-dashboard"


def test_beanstalk_takes_its_role_as_itself_and_has_aws_s_own_rights(stack, machine):
    (trust,) = json.loads(stack.one("iam/role:Role", "beanstalk")["assumeRolePolicy"])["Statement"]
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": "elasticbeanstalk"}}
    attached = stack.all("iam/rolePolicyAttachment:RolePolicyAttachment").values()
    assert {one["role"] for one in attached} == {"daybook-test-beanstalk"}
    assert machine["aws:elasticbeanstalk:environment"]["ServiceRole"] == stack.arn(
        "iam/role:Role", "beanstalk"
    )


def test_the_longest_stack_s_name_makes_no_environment_too_long():
    name = run("x" * MAX_STACK).one("elasticbeanstalk/environment:Environment")["name"]
    assert len(name) <= 40


def test_a_subnet_that_is_named_is_where_the_machine_is():
    stack = run(**CONFIG, dashboard_subnet="subnet-0123456789abcdef0")
    assert settings_of(stack)["aws:ec2:vpc"] == {
        "VPCId": "vpc-0123456789abcdef0",
        "Subnets": "subnet-0123456789abcdef0",
        "AssociatePublicIpAddress": "true",
    }


def test_a_region_without_a_default_vpc_is_told_before_anything_is_made():
    class Bare(Recorder):
        def call(self, args: MockCallArgs) -> Any:
            if "getVpc" in args.token:
                raise Answered("no matching EC2 VPC found")
            return super().call(args)

    bare = Bare()
    with pytest.raises(ConfigurationError, match="aws ec2 create-default-vpc"):
        run_program(bare, "test", CONFIG)
    assert [kind for kind, _, _ in bare.resources if kind.startswith("aws:")] == []
