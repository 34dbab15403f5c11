module example.com/sam-slim

go 1.26
