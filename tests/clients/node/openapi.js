// Lists, creates, starts and stops with @alicloud/openapi-client, which signs with ACS3-HMAC-SHA256.
const { default: Client, Config, OpenApiRequest, Params } = require("@alicloud/openapi-client");
const { RuntimeOptions } = require("@alicloud/tea-util");

const { ENDPOINT, KEY, SECRET, TOKEN, WORKSPACE, NAMESPACE } = process.env;
const client = new Client(new Config({
  accessKeyId: KEY, accessKeySecret: SECRET, securityToken: TOKEN || undefined,
  endpoint: ENDPOINT, protocol: "http", regionId: "cn-hangzhou",
}));

async function console_(action, method, query) {
  const params = new Params({
    action, version: "2021-10-28", protocol: "HTTP", pathname: "/", method,
    authType: "AK", style: "RPC", reqBodyType: "formData", bodyType: "json",
  });
  return (await client.callApi(params, new OpenApiRequest({ query }), new RuntimeOptions({}))).body;
}

async function call(action, method, path, body) {
  const params = new Params({
    action, version: "2022-07-18", protocol: "HTTP", pathname: `/api/v2/namespaces/${NAMESPACE}${path}`, method,
    authType: "AK", style: "ROA", reqBodyType: "json", bodyType: "json",
  });
  const request = new OpenApiRequest({ headers: { workspace: WORKSPACE }, body });
  return (await client.callApi(params, request, new RuntimeOptions({}))).body;
}

(async () => {
  const { deployment, start, stop } = JSON.parse(process.env.BODIES);
  const instances = await console_("DescribeInstances", "GET", { Region: "cn-hangzhou" });
  const made = await call("CreateDeployment", "POST", "/deployments", deployment);
  const id = made.data.deploymentId;
  const listed = await call("ListDeployments", "GET", "/deployments");
  const job = await call("StartJob", "POST", "/jobs", { ...start, deploymentId: id });
  const stopped = await call("StopJob", "POST", `/jobs/${job.data.jobId}%3Astop`, stop);
  console.log(JSON.stringify({
    instances: instances.Instances.map((one) => one.InstanceName),
    deployments: listed.data.map((one) => one.name),
    deployment: id, job: job.data.jobId, stopped: stopped.success,
  }));
})().catch((error) => { console.error(error); process.exit(1); });
