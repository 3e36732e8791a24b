module flinkform.example/clients

go 1.22

require github.com/alibabacloud-go/darabonba-openapi/v2 v2.1.11
