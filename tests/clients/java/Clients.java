import com.aliyun.teaopenapi.models.Config;
import com.aliyun.teaopenapi.models.OpenApiRequest;
import com.aliyun.teaopenapi.models.Params;
import com.aliyun.teautil.models.RuntimeOptions;
import com.aliyuncs.CommonRequest;
import com.aliyuncs.DefaultAcsClient;
import com.aliyuncs.http.FormatType;
import com.aliyuncs.http.MethodType;
import com.aliyuncs.http.ProtocolType;
import com.aliyuncs.profile.DefaultProfile;
import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.Map;

/** Lists, creates, starts and stops with tea-openapi (ACS3-HMAC-SHA256) or aliyun-java-sdk-core (HMAC-SHA1). */
public class Clients {
    interface Caller {
        /** Calls an operation below the namespace, or (without a path) one of the console. */
        JsonObject call(String action, String method, String path, JsonObject body) throws Exception;
    }

    static final Gson GSON = new Gson();
    static final Map<String, String> ENV = System.getenv();
    static final String ROOT = "/api/v2/namespaces/" + ENV.get("NAMESPACE");
    static final String TOKEN = ENV.getOrDefault("TOKEN", "");

    static Caller tea() throws Exception {
        Config config = new Config().setAccessKeyId(ENV.get("KEY")).setAccessKeySecret(ENV.get("SECRET"))
            .setEndpoint(ENV.get("ENDPOINT")).setProtocol("http").setRegionId("cn-hangzhou");
        if (!TOKEN.isEmpty()) {
            config.setSecurityToken(TOKEN);
        }
        com.aliyun.teaopenapi.Client client = new com.aliyun.teaopenapi.Client(config);
        return (action, method, path, body) -> {
            boolean rpc = path.isEmpty();
            Params params = new Params().setAction(action).setVersion(rpc ? "2021-10-28" : "2022-07-18")
                .setProtocol("HTTP").setPathname(rpc ? "/" : ROOT + path).setMethod(method).setAuthType("AK")
                .setStyle(rpc ? "RPC" : "ROA").setReqBodyType("json").setBodyType("json");
            OpenApiRequest request = new OpenApiRequest();
            if (rpc) {
                request.setQuery(Map.of("Region", "cn-hangzhou"));
            } else {
                request.setHeaders(Map.of("workspace", ENV.get("WORKSPACE")));
            }
            if (body != null) {
                request.setBody(GSON.fromJson(body, Map.class));
            }
            Map<String, ?> answer = client.callApi(params, request, new RuntimeOptions());
            return GSON.toJsonTree(answer.get("body")).getAsJsonObject();
        };
    }

    static Caller core() {
        DefaultProfile profile = TOKEN.isEmpty()
            ? DefaultProfile.getProfile("cn-hangzhou", ENV.get("KEY"), ENV.get("SECRET"))
            : DefaultProfile.getProfile("cn-hangzhou", ENV.get("KEY"), ENV.get("SECRET"), TOKEN);
        DefaultAcsClient client = new DefaultAcsClient(profile);
        return (action, method, path, body) -> {
            CommonRequest request = new CommonRequest();
            request.setSysDomain(ENV.get("ENDPOINT"));
            request.setSysProtocol(ProtocolType.HTTP);
            request.setSysMethod(MethodType.valueOf(method));
            request.setSysVersion(path.isEmpty() ? "2021-10-28" : "2022-07-18");
            if (path.isEmpty()) {
                request.setSysAction(action);
                request.putQueryParameter("Region", "cn-hangzhou");
            } else {
                request.setSysUriPattern(ROOT + path);
                request.putHeadParameter("workspace", ENV.get("WORKSPACE"));
            }
            if (body != null) {
                request.setHttpContent(GSON.toJson(body).getBytes("UTF-8"), "UTF-8", FormatType.JSON);
            }
            return JsonParser.parseString(client.getCommonResponse(request).getData()).getAsJsonObject();
        };
    }

    static JsonArray names(JsonArray items, String field) {
        JsonArray found = new JsonArray();
        items.forEach(one -> found.add(one.getAsJsonObject().get(field)));
        return found;
    }

    public static void main(String[] words) throws Exception {
        Caller caller = words[0].equals("tea") ? tea() : core();
        JsonObject bodies = JsonParser.parseString(ENV.get("BODIES")).getAsJsonObject();
        JsonObject instances = caller.call("DescribeInstances", "GET", "", null);
        JsonObject made = caller.call("CreateDeployment", "POST", "/deployments", bodies.getAsJsonObject("deployment"));
        String id = made.getAsJsonObject("data").get("deploymentId").getAsString();
        JsonObject listed = caller.call("ListDeployments", "GET", "/deployments", null);
        JsonObject start = bodies.getAsJsonObject("start");
        start.addProperty("deploymentId", id);
        String job = caller.call("StartJob", "POST", "/jobs", start).getAsJsonObject("data").get("jobId").getAsString();
        JsonObject stopped = caller.call("StopJob", "POST", "/jobs/" + job + "%3Astop", bodies.getAsJsonObject("stop"));
        JsonObject answer = new JsonObject();
        answer.add("instances", names(instances.getAsJsonArray("Instances"), "InstanceName"));
        answer.add("deployments", names(listed.getAsJsonArray("data"), "name"));
        answer.addProperty("deployment", id);
        answer.addProperty("job", job);
        answer.add("stopped", stopped.get("success"));
        System.out.println(GSON.toJson(answer));
        System.exit(0);
    }
}
