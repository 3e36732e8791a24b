"""The only HTTP client of the API: signing, retries, paging and rate limits live here and only here.

    from flinkform.client import api, credentials, endpoints

    client = api.Client(
        credentials.find(environment, access_key_id="", access_key_secret="", security_token="", profile=""),
        endpoints.find(environment, region="cn-hangzhou", console="", ververica=""),
        region="cn-hangzhou",
    )
    client.call("GetDeployment", {"workspace": "w", "namespace": "n", "deploymentId": "d"})  # -> the whole envelope
    client.call("CreateDeployment", {"workspace": "w", "namespace": "n"}, {"name": "job"})
    client.call("CreateNamespace", {"InstanceId": "f-1", "Namespace": "n", "ResourceSpec": {"Cpu": 1, "MemoryGB": 4}})
    client.pages("ListDeployments", {"workspace": "w", "namespace": "n"})                     # -> items of all pages
    client.pages("DescribeInstances", items="Instances")
    client.calls["ListDeployments"]                                                           # -> requests sent

*params* holds everything but a JSON body, by its name in the API: path parameters, query, form fields and the
`workspace` header alike; unknown names are `Invalid`. `Region` and `RegionId` are filled in.
"""
