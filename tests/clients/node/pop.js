// The same with @alicloud/pop-core, which signs with HMAC-SHA1: RPC over all parameters, ROA over path and headers.
const { ROAClient, RPCClient } = require("@alicloud/pop-core");

const { ENDPOINT, KEY, SECRET, TOKEN, WORKSPACE, NAMESPACE } = process.env;
const keys = { accessKeyId: KEY, accessKeySecret: SECRET, securityToken: TOKEN || undefined };
const rpc = new RPCClient({ ...keys, endpoint: `http://${ENDPOINT}`, apiVersion: "2021-10-28" });
const roa = new ROAClient({ ...keys, endpoint: `http://${ENDPOINT}`, apiVersion: "2022-07-18" });
const headers = { workspace: WORKSPACE, "content-type": "application/json" };
const root = `/api/v2/namespaces/${NAMESPACE}`;

(async () => {
  const { deployment, start, stop } = JSON.parse(process.env.BODIES);
  const asked = { Region: "cn-hangzhou" };
  const instances = await rpc.request("DescribeInstances", asked);
  await rpc.request("DescribeInstances", asked, { method: "POST" });
  const made = await roa.post(`${root}/deployments`, {}, JSON.stringify(deployment), headers);
  const id = made.data.deploymentId;
  const listed = await roa.get(`${root}/deployments`, { pageIndex: "1", name: "" }, headers);
  const job = await roa.post(`${root}/jobs`, {}, JSON.stringify({ ...start, deploymentId: id }), headers);
  const stopped = await roa.post(`${root}/jobs/${job.data.jobId}%3Astop`, {}, JSON.stringify(stop), headers);
  console.log(JSON.stringify({
    instances: instances.Instances.map((one) => one.InstanceName),
    deployments: listed.data.map((one) => one.name),
    deployment: id, job: job.data.jobId, stopped: stopped.success,
  }));
})().catch((error) => { console.error(error); process.exit(1); });
