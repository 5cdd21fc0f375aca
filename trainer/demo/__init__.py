"""A page in the browser: a trained network looks at pictures, videos and a webcam."""
