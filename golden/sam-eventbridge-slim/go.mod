module example.com/sam-eventbridge-slim

go 1.26
