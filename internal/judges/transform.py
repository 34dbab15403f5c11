"""Transforms the SAM template that the first argument names as AWS does, into the CloudFormation template that the second names."""

import json
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies:
    """AWS's managed policies, of which none is looked up by name."""

    def load(self):
        return {}


with open(sys.argv[1], encoding="utf-8") as source:
    template = yaml_parse(source)
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        # As sam package does: the translator takes no local folder.
        resource["Properties"]["CodeUri"] = "s3://bucket/key"
with open(sys.argv[2], "w", encoding="utf-8") as transformed:
    json.dump(transform(template, {}, NoManagedPolicies()), transformed, indent=2)
