// Lists, creates, starts and stops with darabonba-openapi, which signs with ACS3-HMAC-SHA256.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"
)

var client *openapi.Client

func text(value string) *string { return dara.String(value) }

func call(style, version, action, method, path string, request *openapi.OpenApiRequest) map[string]interface{} {
	params := &openapi.Params{
		Action: text(action), Version: text(version), Protocol: text("HTTP"), Pathname: text(path), Method: text(method),
		AuthType: text("AK"), Style: text(style), ReqBodyType: text("json"), BodyType: text("json"),
	}
	answer, err := client.CallApi(params, request, &dara.RuntimeOptions{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return answer["body"].(map[string]interface{})
}

func main() {
	config := &openapi.Config{
		AccessKeyId: text(os.Getenv("KEY")), AccessKeySecret: text(os.Getenv("SECRET")),
		Endpoint: text(os.Getenv("ENDPOINT")), Protocol: text("http"), RegionId: text("cn-hangzhou"),
	}
	if token := os.Getenv("TOKEN"); token != "" {
		config.SecurityToken = text(token)
	}
	var err error
	if client, err = openapi.NewClient(config); err != nil {
		panic(err)
	}
	var bodies map[string]map[string]interface{}
	if err := json.Unmarshal([]byte(os.Getenv("BODIES")), &bodies); err != nil {
		panic(err)
	}
	root := "/api/v2/namespaces/" + os.Getenv("NAMESPACE")
	headers := map[string]*string{"workspace": text(os.Getenv("WORKSPACE"))}
	roa := func(action, method, path string, body map[string]interface{}) map[string]interface{} {
		request := &openapi.OpenApiRequest{Headers: headers}
		if body != nil {
			request.Body = body
		}
		return call("ROA", "2022-07-18", action, method, root+path, request)
	}

	asked := &openapi.OpenApiRequest{Query: map[string]*string{"Region": text("cn-hangzhou")}}
	instances := call("RPC", "2021-10-28", "DescribeInstances", "GET", "/", asked)
	made := roa("CreateDeployment", "POST", "/deployments", bodies["deployment"])
	id := made["data"].(map[string]interface{})["deploymentId"].(string)
	listed := roa("ListDeployments", "GET", "/deployments", nil)
	bodies["start"]["deploymentId"] = id
	job := roa("StartJob", "POST", "/jobs", bodies["start"])["data"].(map[string]interface{})["jobId"].(string)
	stopped := roa("StopJob", "POST", "/jobs/"+job+"%3Astop", bodies["stop"])

	answer, _ := json.Marshal(map[string]interface{}{
		"instances":   names(instances["Instances"], "InstanceName"),
		"deployments": names(listed["data"], "name"),
		"deployment":  id, "job": job, "stopped": stopped["success"],
	})
	fmt.Println(string(answer))
}

func names(items interface{}, field string) []string {
	found := []string{}
	for _, one := range items.([]interface{}) {
		found = append(found, one.(map[string]interface{})[field].(string))
	}
	return found
}
